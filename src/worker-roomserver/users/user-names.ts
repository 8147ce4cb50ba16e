import { encodeBase32 } from "../../matrix/base64.ts";
import { badJson, forbidden, MatrixError, missingParam, unknown } from "../../matrix/errors.ts";
import { isValidNewLocalpart, parseUserId, type ServerName, type UserId } from "../../matrix/identifiers.ts";
import { isJsonObject } from "../../matrix/json.ts";
import type { Identification } from "./api.ts";

/**
 * The user id that a username asks for. Capitals become small letters: names that differ in nothing else are one.
 * @throws MatrixError M_INVALID_USERNAME 400
 */
export function userIdForNewName(username: string, serverName: ServerName): UserId {
  const localpart = lowerCase(username);
  if (!isValidNewLocalpart(localpart, serverName)) {
    throw new MatrixError(
      "M_INVALID_USERNAME",
      400,
      "A username is made of a-z, 0-9 and . _ = - / +, and with the server's name has at most 255 characters.",
    );
  }
  return parseUserId(`@${localpart}:${serverName}`);
}

/** A user id for someone who asked for none. */
export function randomUserId(serverName: ServerName): UserId {
  return parseUserId(`@${encodeBase32(crypto.getRandomValues(new Uint8Array(10)))}:${serverName}`);
}

/**
 * The user id that someone who logs in means: given whole, or as its localpart alone. Whether there is such a
 * user here is not looked at.
 * @throws MatrixError M_FORBIDDEN 403 for a third-party identifier, as none are kept here; M_MISSING_PARAM,
 *   M_BAD_JSON, M_UNKNOWN 400
 * @see https://spec.matrix.org/v1.19/client-server-api/#identifier-types
 */
export function identifiedUserId(given: Identification, serverName: ServerName): string {
  const user = given.identifier === undefined ? given.user : userOfIdentifier(given.identifier);
  if (user === undefined && given.medium !== undefined) throw noThirdPartyIds();
  if (user === undefined) throw missingParam('"identifier" is missing: it says who logs in.');
  if (!user.startsWith("@")) return `@${lowerCase(user)}:${serverName}`;
  const colon = user.indexOf(":");
  return colon === -1 ? lowerCase(user) : lowerCase(user.slice(0, colon)) + user.slice(colon);
}

function userOfIdentifier(identifier: unknown): string {
  const { type, user } = isJsonObject(identifier) ? identifier : {};
  if (type === "m.id.thirdparty" || type === "m.id.phone") throw noThirdPartyIds();
  if (typeof type !== "string") throw badJson('"identifier" should be an object with a "type".');
  if (type !== "m.id.user") throw unknown("This server knows users by m.id.user only.", 400);
  if (typeof user !== "string") throw badJson('"identifier.user" should be a user ID or its localpart.');
  return user;
}

const noThirdPartyIds = () => forbidden("This server knows nobody by e-mail address or phone number.");

/** ASCII only: what looks like a letter elsewhere (K for Kelvin) does not become one. */
const lowerCase = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
