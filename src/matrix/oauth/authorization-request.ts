import type { MatrixError } from "../errors.ts";
import type { ClientMetadata } from "./client-metadata.ts";
import { oauthError } from "./errors.ts";
import { isRegisteredRedirectUri } from "./redirect-uris.ts";
import { parseScope } from "./scope.ts";

/** The query of the authorisation endpoint. */
export type AuthorizationQuery = {
  response_type?: string | undefined;
  client_id?: string | undefined;
  redirect_uri?: string | undefined;
  scope?: string | undefined;
  state?: string | undefined;
  response_mode?: string | undefined;
  code_challenge?: string | undefined;
  code_challenge_method?: string | undefined;
  prompt?: string | undefined;
  login_hint?: string | undefined;
};

export const responseModes = ["query", "fragment"] as const;

/** Where the answer to a request goes, and how. */
export type Callback = {
  redirectUri: string;
  responseMode: (typeof responseModes)[number];
  state?: string | undefined;
};

/** What a client has asked for, and may be given. `scope`: as it is granted. */
export type AuthorizationRequest = Callback & { challenge: string; scope: string; deviceId: string };

const challengeGrammar = /^[A-Za-z0-9_-]{43}$/;
/** @see https://datatracker.ietf.org/doc/html/rfc7636#section-4.1 */
export const verifierGrammar = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Where the answer to a request is to be sent, right or wrong. Until this is known, nobody may be sent anywhere.
 * @throws {MatrixError} invalid_request (400) for a redirect URI that the client has not registered
 */
export function callbackOf(query: AuthorizationQuery, client: ClientMetadata): Callback {
  const { redirect_uri: redirectUri, response_mode: mode, state } = query;
  if (redirectUri === undefined || !isRegisteredRedirectUri(redirectUri, client.redirect_uris)) {
    throw oauthError(
      "invalid_request",
      "The app has not registered the address that it wants you sent back to.",
    );
  }
  return { redirectUri, responseMode: mode === "fragment" ? "fragment" : "query", state };
}

/**
 * @throws {MatrixError} unsupported_response_type, unauthorized_client, invalid_request, invalid_scope,
 *   login_required: for the callback
 * @see https://spec.matrix.org/v1.19/client-server-api/#authorisation-code-flow
 */
export function authorizationRequest(
  query: AuthorizationQuery,
  client: ClientMetadata,
  callback: Callback,
): AuthorizationRequest {
  const { response_type, response_mode, code_challenge: challenge, code_challenge_method: method } = query;
  if (response_type === undefined) throw oauthError("invalid_request", "response_type is missing.");
  if (response_type !== "code") {
    throw oauthError("unsupported_response_type", "The only response_type here is code.");
  }
  if (!client.grant_types.includes("authorization_code") || !client.response_types.includes("code")) {
    throw oauthError(
      "unauthorized_client",
      "The client has not registered for the authorization code grant.",
    );
  }
  if (response_mode !== undefined && response_mode !== callback.responseMode) {
    throw oauthError("invalid_request", "response_mode is query or fragment.");
  }
  if (challenge === undefined || method !== "S256") {
    throw oauthError("invalid_request", "A code_challenge is needed, with the code_challenge_method S256.");
  }
  if (!challengeGrammar.test(challenge)) {
    throw oauthError("invalid_request", "The code_challenge should be a SHA-256 hash in unpadded base64url.");
  }
  if (query.prompt?.split(" ").includes("none")) {
    throw oauthError("login_required", "Nobody stays signed in to these pages.");
  }
  const { deviceId, granted } = parseScope(query.scope ?? "");
  return { ...callback, challenge, scope: granted, deviceId };
}

/** The redirect URI with the answer in it. */
export function callbackUrl(callback: Callback, answer: Record<string, string>): string {
  const { redirectUri, responseMode, state } = callback;
  const parameters = Object.entries({ ...answer, ...(state !== undefined && { state }) })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  if (responseMode === "fragment") return `${redirectUri}#${parameters}`;
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${parameters}`;
}

/** The answer that tells the client what was wrong. */
export const refusedUrl = (callback: Callback, { errcode, message }: MatrixError): string =>
  callbackUrl(callback, { error: errcode, error_description: message });
