import { invalidParam } from "./errors.ts";
import { type Branded, isServerName, parseServerName, quote, type ServerName } from "./server-names.ts";
import { hasLoneSurrogate, utf8Length } from "./utf8.ts";

export {
  isServerName,
  keyFromServerName,
  parseServerName,
  type ServerName,
  serverNameFromKey,
} from "./server-names.ts";
export { utf8Length } from "./utf8.ts";

/** `@localpart:domain`. @see https://spec.matrix.org/v1.19/appendices/#user-identifiers */
export type UserId = Branded<"UserId">;
/** `!localpart:domain`, from room version 12 on `!hash`. @see https://spec.matrix.org/v1.19/appendices/#room-ids */
export type RoomId = Branded<"RoomId">;
/** `#localpart:domain`. @see https://spec.matrix.org/v1.19/appendices/#room-aliases */
export type RoomAlias = Branded<"RoomAlias">;
/** `$localpart:domain`, from room version 3 on `$hash`. @see https://spec.matrix.org/v1.19/appendices/#event-ids */
export type EventId = Branded<"EventId">;
/** `algorithm:name`, as in `ed25519:a_b1`. @see https://spec.matrix.org/v1.19/appendices/#signing-details */
export type KeyId = Branded<"KeyId">;

const maxIdBytes = 255;
const presentLocalpart = /^[a-z0-9._=/+-]+$/;
const compliantLocalpart = /^[!-~]+$/;
// 32 bytes of SHA-256: room version 3 uses the standard alphabet, those after it the URL-safe one.
const standardHash = /^[A-Za-z0-9+/]{43}$/;
const urlSafeHash = /^[A-Za-z0-9_-]{43}$/;
const keyIdGrammar = /^[a-z0-9_]+:[!-9;-~]+$/;

/**
 * Whether `value` is a user id that may be met: the historical ones, with nearly any localpart and even an
 * empty one, are accepted from others and in events.
 * @see https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export function isUserId(value: unknown): value is UserId {
  return isDomainId(value, "@");
}

/** Room ids with a domain (up to room version 11) and without (from 12 on). */
export function isRoomId(value: unknown): value is RoomId {
  return isDomainId(value, "!") || isHashId(value, "!", urlSafeHash);
}

export function isRoomAlias(value: unknown): value is RoomAlias {
  return isDomainId(value, "#");
}

/** Event ids of any room version: with a domain (1 and 2), and a hash in either alphabet. */
export function isEventId(value: unknown): value is EventId {
  return isDomainId(value, "$") || isHashId(value, "$", urlSafeHash) || isHashId(value, "$", standardHash);
}

/**
 * Whether `value` names a key: an algorithm, a colon and a name of visible ASCII. The name is not held to the
 * `[a-zA-Z0-9_]` of server keys: devices and cross-signing keys are named by device id and by Base64.
 */
export function isKeyId(value: unknown): value is KeyId {
  return typeof value === "string" && value.length <= maxIdBytes && keyIdGrammar.test(value);
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseUserId(text: string): UserId {
  if (isUserId(text)) return text;
  throw refusal(text, "a user ID", "@name:example.org");
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseRoomId(text: string): RoomId {
  if (isRoomId(text)) return text;
  throw refusal(text, "a room ID", "!name:example.org or ! and 43 characters of URL-safe Base64");
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseRoomAlias(text: string): RoomAlias {
  if (isRoomAlias(text)) return text;
  throw refusal(text, "a room alias", "#name:example.org");
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseEventId(text: string): EventId {
  if (isEventId(text)) return text;
  throw refusal(text, "an event ID", "$name:example.org or $ and 43 characters of Base64");
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function parseKeyId(text: string): KeyId {
  if (isKeyId(text)) return text;
  throw refusal(text, "a key ID", "ed25519:name");
}

/** The server that an id is on; ids that are hashes are on none. */
export function serverNameOf(id: UserId | RoomAlias): ServerName;
export function serverNameOf(id: RoomId | EventId): ServerName | undefined;
export function serverNameOf(id: UserId | RoomAlias | RoomId | EventId): ServerName | undefined {
  const colon = id.indexOf(":");
  return colon === -1 ? undefined : parseServerName(id.slice(colon + 1));
}

/** What stands between the sigil and the first colon; of an id that is a hash, the hash. */
export function localpartOf(id: UserId | RoomAlias | RoomId | EventId): string {
  const colon = id.indexOf(":");
  return colon === -1 ? id.slice(1) : id.slice(1, colon);
}

/**
 * Whether a new account here may have this localpart: the present grammar, and at most 255 bytes for the whole
 * user id, which is why the server's name is asked for.
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function isValidNewLocalpart(localpart: string, serverName: ServerName): boolean {
  return presentLocalpart.test(localpart) && localpart.length + serverName.length + 2 <= maxIdBytes;
}

/** Whether a user id is outside the grammar for new ones (`A-Z`, spaces, an empty localpart and so on). */
export function isHistoricalUserId(id: UserId): boolean {
  return !presentLocalpart.test(localpartOf(id));
}

/**
 * Whether a historical user id is also non-compliant: empty, or with more than U+0021 to U+007E. Such an id is
 * accepted in events, but clients should not be told of it elsewhere (device lists, to-device messages).
 * @see https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export function isNonCompliantUserId(id: UserId): boolean {
  return !compliantLocalpart.test(localpartOf(id));
}

/** `<sigil>localpart:domain`: the localpart is any Unicode but `:` and NUL. */
function isDomainId(value: unknown, sigil: string): boolean {
  if (typeof value !== "string" || value[0] !== sigil) return false;
  const colon = value.indexOf(":");
  if (colon === -1 || value.length > maxIdBytes || utf8Length(value) > maxIdBytes) return false;
  const localpart = value.slice(1, colon);
  return !localpart.includes("\0") && !hasLoneSurrogate(localpart) && isServerName(value.slice(colon + 1));
}

function isHashId(value: unknown, sigil: string, hash: RegExp): boolean {
  return typeof value === "string" && value[0] === sigil && hash.test(value.slice(1));
}

function refusal(text: string, what: string, likeness: string) {
  return invalidParam(
    `${quote(text)} is not ${what}: it should look like ${likeness}, of at most ${maxIdBytes} bytes.`,
  );
}
