import { canonicalJson } from "./canonical-json.ts";
import { badJson, tooLarge } from "./errors.ts";
import { numberRuleOf } from "./hashes.ts";
import { isEventId, isRoomId, isUserId, utf8Length } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/** Bytes of canonical JSON that an event from elsewhere may have, signatures and all: what the spec says. */
export const maxEventBytes = 65_536;
/** The same for an event from here: one byte less, which ruma has as its limit, so that every server takes it. */
export const maxSentEventBytes = 65_535;
/** Bytes of UTF-8 that `sender`, `room_id`, `state_key`, `type` and `event_id` may have. */
export const maxEventFieldBytes = 255;
export const maxPrevEvents = 20;
export const maxAuthEvents = 10;

const sizedFields = ["sender", "room_id", "state_key", "type", "event_id"] as const;

/**
 * Checks that a value has the form of an event of this room version: fields, types, bounds and sizes. It says
 * nothing on hashes, signatures or whether the event is allowed.
 * @returns the same object
 * @throws {MatrixError} M_BAD_JSON (400) for a wrong form, from v6 on also for numbers that canonical JSON does
 *   not have; M_TOO_LARGE (413) for an event or a field over its limit
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function parsePdu(value: JsonValue, rules: RoomVersionRules): Pdu {
  if (!isJsonObject(value)) throw badJson("An event is a JSON object.");
  checkFieldSizes(value);
  checkFields(value, rules);
  checkIds(value, rules);
  checkReferences(value, "prev_events", maxPrevEvents, rules);
  checkReferences(value, "auth_events", maxAuthEvents, rules);
  checkJsonSize(canonicalJson(value, numberRuleOf(rules)), maxEventBytes);
  return value as Pdu;
}

/**
 * Checks the size of an event that is about to be sent, which is that of all of it: hashes and signatures too.
 * @param json - the finished event as canonical JSON, or in any order of its members
 * @throws {MatrixError} M_TOO_LARGE (413)
 * @see https://spec.matrix.org/v1.19/client-server-api/#size-limits
 */
export function checkEventSize(json: string): void {
  checkJsonSize(json, maxSentEventBytes);
}

/** The ids in `prev_events`, whichever form the room version gives them. */
export function prevEventIds(pdu: Pdu): string[] {
  return referencedIds(pdu.prev_events);
}

/** The ids in `auth_events`, whichever form the room version gives them. */
export function authEventIds(pdu: Pdu): string[] {
  return referencedIds(pdu.auth_events);
}

/** v1 and v2 have pairs of an id and its hashes, later versions the ids alone. */
function referencedIds(references: readonly JsonValue[]): string[] {
  return references
    .map((reference) => (Array.isArray(reference) ? reference[0] : reference))
    .filter((id) => typeof id === "string");
}

/**
 * Checks the sizes of the fields that have limits of their own.
 * @throws {MatrixError} M_TOO_LARGE (413)
 * @see https://spec.matrix.org/v1.19/client-server-api/#size-limits
 */
export function checkFieldSizes(event: JsonObject): void {
  for (const name of sizedFields) {
    const value = event[name];
    if (typeof value === "string" && utf8Length(value) > maxEventFieldBytes) {
      throw tooLarge(`${name} is longer than ${maxEventFieldBytes} bytes.`);
    }
  }
}

function checkJsonSize(json: string, limit: number): void {
  if (utf8Length(json) > limit) throw tooLarge(`The event is larger than ${limit} bytes.`);
}

function checkFields(event: JsonObject, rules: RoomVersionRules): void {
  if (typeof event.type !== "string") throw badJson("The event's type must be a string.");
  if (!isUserId(event.sender)) throw badJson("The event's sender must be a user ID.");
  if (!isJsonObject(event.content)) throw badJson("The event's content must be an object.");
  checkOptionalString(event, "state_key");
  // From v11 on `redacts` is in the content, where it may be anything, and at the top level it means nothing.
  if (!rules.redactsInContent) checkOptionalString(event, "redacts");
  if (!Number.isInteger(event.origin_server_ts)) {
    throw badJson("The event's origin_server_ts must be an integer.");
  }
  checkDepth(event.depth, rules);
  if (!isJsonObject(event.hashes) || typeof event.hashes.sha256 !== "string") {
    throw badJson("The event's hashes must be an object with a string sha256.");
  }
  if (!isJsonObject(event.signatures) || !Object.values(event.signatures).every(isObjectOfStrings)) {
    throw badJson("The event's signatures must be an object of objects of strings.");
  }
  if (event.unsigned !== undefined && !isJsonObject(event.unsigned)) {
    throw badJson("The event's unsigned must be an object.");
  }
}

function checkOptionalString(event: JsonObject, name: string): void {
  if (event[name] !== undefined && typeof event[name] !== "string") {
    throw badJson(`The event's ${name} must be a string.`);
  }
}

/** The greatest depth is 2^63 − 1 up to v5, which as a double is 2^63, and then that of canonical JSON. */
function checkDepth(depth: JsonValue | undefined, rules: RoomVersionRules): void {
  const maxDepth = rules.strictCanonicalJson ? Number.MAX_SAFE_INTEGER : 2 ** 63;
  if (typeof depth !== "number" || !Number.isInteger(depth) || depth < 0 || depth > maxDepth) {
    throw badJson("The event's depth must be an integer that is not negative.");
  }
}

function isObjectOfStrings(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function checkIds(event: JsonObject, rules: RoomVersionRules): void {
  if (rules.eventIdFormat === "domain") {
    if (!isEventId(event.event_id) || !event.event_id.includes(":")) {
      throw badJson("The event's event_id must be an event ID with a domain.");
    }
  } else {
    // It is no part of these versions' format; whoever adds one may at least not break those who look at it.
    checkOptionalString(event, "event_id");
  }
  if (rules.roomIdIsCreateHash && event.type === "m.room.create") {
    if (event.room_id !== undefined) throw badJson("A create event of this room version has no room_id.");
    return;
  }
  if (!isRoomId(event.room_id) || event.room_id.includes(":") === rules.roomIdIsCreateHash) {
    throw badJson("The event's room_id must be a room ID of the form that the room version has.");
  }
}

function checkReferences(
  event: JsonObject,
  name: "prev_events" | "auth_events",
  limit: number,
  rules: RoomVersionRules,
): void {
  const references = event[name];
  const isReference = rules.eventIdFormat === "domain" ? isIdWithHashes : isEventId;
  if (!Array.isArray(references) || !references.every((reference) => isReference(reference))) {
    const form = rules.eventIdFormat === "domain" ? "pairs of an event ID and its hashes" : "event IDs";
    throw badJson(`The event's ${name} must be a list of ${form}.`);
  }
  if (references.length > limit) throw badJson(`The event's ${name} may have no more than ${limit} entries.`);
}

function isIdWithHashes(reference: JsonValue): boolean {
  return (
    Array.isArray(reference) &&
    reference.length === 2 &&
    isEventId(reference[0]) &&
    isJsonObject(reference[1])
  );
}
