import { MatrixError } from "../errors.ts";

/** What RFC 6749, 7591 and 8628 call the ways in which things go wrong, as far as they can here. */
export type OAuthErrorCode =
  | "access_denied"
  | "authorization_pending"
  | "expired_token"
  | "invalid_client"
  | "invalid_client_metadata"
  | "invalid_grant"
  | "invalid_redirect_uri"
  | "invalid_request"
  | "invalid_scope"
  | "login_required"
  | "server_error"
  | "slow_down"
  | "temporarily_unavailable"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type";

/**
 * An error of OAuth. It travels as any other does; its `errcode` is OAuth's, which no errcode of Matrix looks like.
 * @param why - a sentence without `"` and `\`, which RFC 6749 does not let into `error_description`
 */
export const oauthError = (
  code: OAuthErrorCode,
  why: string,
  status = code === "invalid_client" ? 401 : 400,
) => new MatrixError(code, status, why);

export const isOAuthError = ({ errcode }: MatrixError): boolean => /^[a-z]/.test(errcode);
