import { isJsonObject, type JsonObject } from "../matrix/json.ts";
import type { UiaChallenge } from "../worker-roomserver/users/api.ts";
import { Reply } from "./endpoint.ts";

/**
 * The answer of an endpoint that wants user-interactive authentication: what it did, or a 401 that says what is
 * missing.
 * @see https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export function doneOrChallenge<T extends object>(result: T | UiaChallenge): T | Reply {
  return isChallenge(result) ? new Reply(401, result.uia) : result;
}

/**
 * The same where a stage may send the user to a page of this homeserver.
 * @param baseUrl - where clients reach this homeserver, without a slash at its end: components know only paths
 * @see https://spec.matrix.org/v1.19/client-server-api/#oauth-authentication
 */
export function doneOrPage<T extends object>(result: T | UiaChallenge, baseUrl: string): T | Reply {
  if (!isChallenge(result)) return result;
  const params = isJsonObject(result.uia.params) ? result.uia.params : {};
  const whole = Object.entries(params).map(([stage, given]) => [stage, withWholeUrl(given, baseUrl)]);
  return new Reply(401, { ...result.uia, params: Object.fromEntries(whole) as JsonObject });
}

function withWholeUrl(given: JsonObject[string], baseUrl: string): JsonObject[string] {
  if (!isJsonObject(given) || typeof given.url !== "string" || !given.url.startsWith("/")) return given;
  return { ...given, url: baseUrl + given.url };
}

const isChallenge = (result: object): result is UiaChallenge => "uia" in result;
