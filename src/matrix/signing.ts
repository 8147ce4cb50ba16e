import { decodeBase64, encodeBase64 } from "./base64.ts";
import { canonicalBytes, canonicalJson, type NumberRule } from "./canonical-json.ts";
import { type Ed25519, equalBytes } from "./ed25519-rules.ts";
import { badJson } from "./errors.ts";
import { essentialBytes, eventIdFrom, hashedText, numberRuleOf, sha256 } from "./hashes.ts";
import type { EventId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import { encodeUtf8 } from "./utf8.ts";

/** Makes the 64 bytes of a signature. */
export type Sign = (message: Uint8Array) => Promise<Uint8Array>;

/** A key to sign with. `keyId` is as in `ed25519:a_b1`; the public key has 32 bytes. */
export type SigningKey = { keyId: string; publicKey: Uint8Array; sign: Sign };

/** An event that is all there but for its hashes and signatures (and its id, from room version 3 on). */
export type EventDraft = JsonObject &
  Pick<Pdu, "type" | "sender" | "content" | "origin_server_ts" | "depth" | "prev_events" | "auth_events">;

/**
 * Signs JSON that is not an event: requests, key documents, devices.
 * @param object - signatures that it has stay, except one by the same name and key; `unsigned` is not covered
 * @returns a new object
 * @throws {MatrixError} M_BAD_JSON (400) for numbers against the rule, or `signatures` of the wrong shape
 * @see https://spec.matrix.org/v1.19/appendices/#signing-details
 */
export async function signJson(
  object: JsonObject,
  serverName: string,
  keyId: string,
  sign: Sign,
  numbers: NumberRule = "strict",
): Promise<JsonObject> {
  const signature = await sign(signedBytes(object, numbers));
  return { ...object, signatures: signaturesWith(object, serverName, keyId, signature) };
}

/**
 * Whether `serverName` (or whoever else signs under that name, as a user does) signed this with this key.
 * Numbers are read leniently: this asks who signed the JSON, not whether it is good.
 * @returns false when the signature is missing, malformed or wrong, and for algorithms but `ed25519`
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON: lone surrogates, deep nesting
 * @see https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature
 */
export async function verifySignedJson(
  object: JsonObject,
  serverName: string,
  keyId: string,
  publicKey: Uint8Array,
  ed25519: Ed25519,
): Promise<boolean> {
  const signature = signatureOn(object, serverName, keyId);
  if (signature === undefined) return false;
  return ed25519.verify(publicKey, signedBytes(object, "lenient"), signature);
}

/**
 * Completes an event that this server makes: content hash, signature, id.
 * @param draft - with `event_id` in room versions 1 and 2; `hashes` and `signatures` it may have are dropped
 * @returns `json` is the event's text, to be stored and sent; its size is that of the canonical JSON
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON, or a missing `event_id`
 * @see https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 */
export async function finishEvent(
  draft: EventDraft,
  rules: RoomVersionRules,
  serverName: string,
  key: SigningKey,
): Promise<{ pdu: Pdu; eventId: EventId; json: string }> {
  // Two canonical texts are made and no third: what is signed is what the reference hash is over, and the
  // stored text is what was hashed with the rest put at its end.
  const hashed = hashedText(draft, rules);
  const hashes = { sha256: encodeBase64(sha256(encodeUtf8(hashed))) };
  const essence = essentialBytes({ ...draft, hashes }, rules);
  const eventId = eventIdFrom(draft, rules, () => sha256(essence));
  const signatures = { [serverName]: { [key.keyId]: encodeBase64(await key.sign(essence)) } };
  const rest = canonicalJson({ hashes, signatures, unsigned: draft.unsigned }, numberRuleOf(rules));
  return {
    pdu: { ...draft, hashes, signatures },
    eventId,
    json: `${hashed.slice(0, -1)},${rest.slice(1)}`,
  };
}

/**
 * Adds this server's signature to an event that another server made: an invite, a restricted join.
 * @returns a new object with the other signatures kept
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 * @see https://spec.matrix.org/v1.19/server-server-api/#signing-events
 */
export async function signEvent(
  pdu: Pdu,
  rules: RoomVersionRules,
  serverName: string,
  key: SigningKey,
): Promise<Pdu> {
  const signature = await key.sign(essentialBytes(pdu, rules));
  return { ...pdu, signatures: signaturesWith(pdu, serverName, key.keyId, signature) };
}

/**
 * Whether an event's content is what its sender hashed. If not, it is taken for a redacted copy: use `redact`
 * on it, and keep it.
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function verifyEventHash(pdu: JsonObject, rules: RoomVersionRules): boolean {
  return hasContentHash(pdu, encodeUtf8(hashedText(pdu, rules)));
}

/** Whether an event says to have the hash of these bytes. */
export function hasContentHash(pdu: JsonObject, bytes: Uint8Array): boolean {
  const claimed = isJsonObject(pdu.hashes) ? decodeText(pdu.hashes.sha256) : undefined;
  return claimed !== undefined && equalBytes(claimed, sha256(bytes));
}

/**
 * Whether a server signed an event with this key; a redacted copy of the event gives the same answer.
 * @returns false when the signature is missing, malformed or wrong, and for algorithms but `ed25519`
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON under these rules
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export async function verifyEventSignature(
  pdu: JsonObject,
  rules: RoomVersionRules,
  serverName: string,
  keyId: string,
  publicKey: Uint8Array,
  ed25519: Ed25519,
): Promise<boolean> {
  return verifySignatureOver(essentialBytes(pdu, rules), pdu, serverName, keyId, publicKey, ed25519);
}

/** Whether the signature that an event has from a server is one on these bytes. False as for `verifyEventSignature`. */
export async function verifySignatureOver(
  bytes: Uint8Array,
  pdu: JsonObject,
  serverName: string,
  keyId: string,
  publicKey: Uint8Array,
  ed25519: Ed25519,
): Promise<boolean> {
  const signature = signatureOn(pdu, serverName, keyId);
  return signature !== undefined && ed25519.verify(publicKey, bytes, signature);
}

function signedBytes(object: JsonObject, numbers: NumberRule): Uint8Array {
  return canonicalBytes({ ...object, signatures: undefined, unsigned: undefined }, numbers);
}

function signatureOn(object: JsonObject, serverName: string, keyId: string): Uint8Array | undefined {
  if (!keyId.startsWith("ed25519:")) return undefined;
  return decodeText(ownMember(ownMember(object.signatures, serverName), keyId));
}

/** Names come from outside, and `__proto__` is one. */
function ownMember(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function decodeText(value: JsonValue | undefined): Uint8Array | undefined {
  return typeof value === "string" ? decodeBase64(value) : undefined;
}

function signaturesWith(
  object: JsonObject,
  serverName: string,
  keyId: string,
  signature: Uint8Array,
): Pdu["signatures"] {
  const present = object.signatures ?? {};
  const own = ownMember(present, serverName) ?? {};
  if (!isJsonObject(present) || !isJsonObject(own)) {
    throw badJson("signatures should map names to objects that map key IDs to signatures.");
  }
  return { ...present, [serverName]: { ...own, [keyId]: encodeBase64(signature) } } as Pdu["signatures"];
}
