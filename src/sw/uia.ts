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

const isChallenge = (result: object): result is UiaChallenge => "uia" in result;
