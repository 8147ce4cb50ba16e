import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { encodeBase64, encodeBase64Url } from "./base64.ts";
import { canonicalBytes, canonicalJson, type NumberRule } from "./canonical-json.ts";
import { badJson } from "./errors.ts";
import { type EventId, isEventId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import { redact } from "./redaction.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import { encodeUtf8 } from "./utf8.ts";

/** 32 bytes. In JavaScript on purpose: for texts as short as events WebCrypto is no faster, and it would wait. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}

/** How canonical JSON treats numbers in events of a room version. */
export function numberRuleOf(rules: RoomVersionRules): NumberRule {
  return rules.strictCanonicalJson ? "strict" : "lenient";
}

/**
 * The hash of a whole event, for `hashes.sha256`.
 * @param pdu - `unsigned`, `signatures` and `hashes` take no part
 * @returns unpadded standard Base64
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event
 */
export function contentHash(pdu: JsonObject, rules: RoomVersionRules): string {
  return encodeBase64(sha256(encodeUtf8(hashedText(pdu, rules))));
}

/** The canonical JSON that the content hash is over. Throws as `contentHash` does. */
export function hashedText(pdu: JsonObject, rules: RoomVersionRules): string {
  return canonicalJson(hashedPart(pdu), numberRuleOf(rules));
}

/** What of an event the content hash is over. */
export function hashedPart(pdu: JsonObject): JsonObject {
  return { ...pdu, unsigned: undefined, signatures: undefined, hashes: undefined };
}

/**
 * The bytes that an event's signatures and its reference hash are over: it is redacted, and goes without
 * `signatures` and `unsigned`.
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 */
export function essentialBytes(pdu: JsonObject, rules: RoomVersionRules): Uint8Array<ArrayBuffer> {
  return canonicalBytes(essentialPart(pdu, rules), numberRuleOf(rules));
}

/** What of an event its signatures and its reference hash are over. */
export function essentialPart(pdu: JsonObject, rules: RoomVersionRules): JsonObject {
  return { ...redact(pdu, rules), signatures: undefined, unsigned: undefined };
}

/**
 * The hash of what a redaction leaves of an event; it holds the content hash and so covers all of it. 32 bytes.
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event
 */
export function referenceHash(pdu: JsonObject, rules: RoomVersionRules): Uint8Array {
  return sha256(essentialBytes(pdu, rules));
}

/**
 * An event's id: its own `event_id` in room versions 1 and 2, else made from its reference hash.
 * @throws {MatrixError} M_BAD_JSON (400) when `event_id` is missing or malformed, or as `referenceHash` does
 * @see https://spec.matrix.org/v1.19/rooms/v4/#event-ids
 */
export function eventIdOf(pdu: JsonObject, rules: RoomVersionRules): EventId {
  return eventIdFrom(pdu, rules, () => referenceHash(pdu, rules));
}

/** `eventIdOf` for a caller who has the reference hash already. */
export function eventIdFrom(pdu: JsonObject, rules: RoomVersionRules, hash: () => Uint8Array): EventId {
  const id = rules.eventIdFormat === "domain" ? pdu.event_id : `$${hashText(hash(), rules)}`;
  if (isEventId(id)) return id;
  throw badJson(`An event of room version ${rules.id} needs an event_id of the form $name:example.org.`);
}

function hashText(hash: Uint8Array, rules: RoomVersionRules): string {
  return rules.eventIdFormat === "base64" ? encodeBase64(hash) : encodeBase64Url(hash);
}
