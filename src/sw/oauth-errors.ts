import type { MatrixError } from "../matrix/errors.ts";
import { isOAuthError, type OAuthErrorCode } from "../matrix/oauth/errors.ts";
import { Reply } from "./endpoint.ts";

/**
 * An error as OAuth writes it. A client takes any 4xx for the end of its login, so that what passes is none.
 * @param invalid - what a request is called that does not get past the door
 * @see https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
 */
export const oauthRefusal =
  (invalid: OAuthErrorCode) =>
  (error: MatrixError): Reply => {
    const { status, code } = described(error, invalid);
    // RFC 6749 keeps these two out of the description.
    const body = { error: code, error_description: error.message.replace(/["\\]/g, "'") };
    const wait = error.extra.retry_after_ms;
    return new Reply(
      status,
      body,
      typeof wait === "number" ? { "Retry-After": String(Math.ceil(wait / 1000)) } : {},
    );
  };

function described(error: MatrixError, invalid: OAuthErrorCode): { status: number; code: string } {
  const { status, errcode } = error;
  if (isOAuthError(error)) return { status, code: errcode };
  if (status === 500) return { status, code: "server_error" };
  if (status === 429 || status > 500) return { status: 503, code: "temporarily_unavailable" };
  return { status: status === 413 ? 413 : 400, code: invalid };
}
