import { MatrixError, unknown } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { FederationError } from "../api.ts";

/** What clients take for their own session, account or server: from another server it means something else. */
const ofTheSession = new Set([
  "M_UNKNOWN_TOKEN",
  "M_MISSING_TOKEN",
  "M_UNAUTHORIZED",
  "M_USER_LOCKED",
  "M_USER_SUSPENDED",
  "M_USER_DEACTIVATED",
  "M_CONSENT_NOT_GIVEN",
  "M_RESOURCE_LIMIT_EXCEEDED",
  "M_UNRECOGNIZED",
]);
const errcodes = /^[A-Za-z][A-Za-z0-9_.]{1,100}$/;
const MAX_SENTENCE = 500;

/**
 * What a client of ours is told when another server did not do what was needed. What that refuses, it refuses the client:
 * its errcode, status and sentence are passed on; all else is 502, or 504 where it took too long.
 */
export function clientError({ failure, destination, message, status, error }: FederationError): MatrixError {
  if (failure === "timeout") return unknown(`${destination} did not answer in time.`, 504);
  if (failure !== "answered") return unknown(`${destination} could not be asked. ${message}`, 502);
  const told: JsonObject = error ?? {};
  const { errcode, error: sentence, room_version, retry_after_ms } = told;
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 401;
  const isGood = typeof errcode === "string" && errcodes.test(errcode) && !ofTheSession.has(errcode);
  if (!isRefusal || !isGood) {
    return unknown(`${destination} could not do this. ${message}`, 502);
  }
  const extra: JsonObject = {
    ...(typeof room_version === "string" && { room_version }),
    ...(typeof retry_after_ms === "number" && { retry_after_ms }),
  };
  const why = typeof sentence === "string" ? sentence.slice(0, MAX_SENTENCE) : message;
  return new MatrixError(errcode, status, why, extra);
}
