import { decodeBase64 } from "./base64.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Ed25519 } from "./ed25519-rules.ts";
import { badJson, MatrixError } from "./errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { verifySignedJson } from "./signing.ts";

/** Bytes of a public key of Ed25519. */
const KEY_LENGTH = 32;

export const invalidSignature = (why: string) => new MatrixError("M_INVALID_SIGNATURE", 400, why);

/** @returns undefined for what is no such key */
export function ed25519Key(text: JsonValue | undefined): Uint8Array<ArrayBuffer> | undefined {
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  return bytes?.length === KEY_LENGTH ? bytes : undefined;
}

/**
 * Holds a device's identity keys to their form, and to be signed by the device.
 * @returns the keys as they are kept: without `unsigned`, and without signatures of others, who are not the device's
 *   owner and whom nobody has asked
 * @throws {MatrixError} M_BAD_JSON (400) for those of another device or of the wrong form; M_INVALID_SIGNATURE (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload
 */
export async function checkDeviceKeys(
  keys: JsonObject,
  userId: string,
  deviceId: string,
  ed25519: Ed25519,
): Promise<JsonObject> {
  if (keys.user_id !== userId) throw badJson('"device_keys.user_id" is not the user who uploads them.');
  if (keys.device_id !== deviceId)
    throw badJson('"device_keys.device_id" is not the device that they are for.');
  if (!Array.isArray(keys.algorithms) || !keys.algorithms.every((name) => typeof name === "string")) {
    throw badJson('"device_keys.algorithms" should be a list of names.');
  }
  if (!isTexts(keys.keys)) throw badJson('"device_keys.keys" should map key IDs to keys.');
  const keyId = `ed25519:${deviceId}`;
  const key = ed25519Key(ownMember(keys.keys, keyId));
  if (key === undefined) throw badJson(`"device_keys.keys" lacks the device's public key, ${keyId}.`);
  const kept = withOwnSignatures(keys, userId);
  if (!(await verifySignedJson(kept, userId, keyId, key, ed25519))) {
    throw invalidSignature("The device keys are not signed by their device.");
  }
  return kept;
}

/** The public key that a device signs with, of keys that have been checked. */
export function deviceSigningKey(keys: JsonObject, deviceId: string): Uint8Array<ArrayBuffer> | undefined {
  return isJsonObject(keys.keys) ? ed25519Key(ownMember(keys.keys, `ed25519:${deviceId}`)) : undefined;
}

/**
 * What is signed of a key, as one text: two of the same are the same key, whoever has signed them.
 * @throws {MatrixError} M_BAD_JSON (400) for what has no canonical JSON
 */
export function signedText(key: JsonObject): string {
  return canonicalJson({ ...key, signatures: undefined, unsigned: undefined }, "lenient");
}

/** The signatures by one user on something, by key id. Names come from outside, and `__proto__` is one. */
export function signaturesOf(signed: JsonObject, userId: string): Map<string, string> {
  const { signatures } = signed;
  const own = isJsonObject(signatures) ? ownMember(signatures, userId) : undefined;
  const found = new Map<string, string>();
  if (!isJsonObject(own)) return found;
  for (const [keyId, signature] of Object.entries(own)) {
    if (typeof signature === "string") found.set(keyId, signature);
  }
  return found;
}

/** A key with no other signatures than those that its owner has made, and without `unsigned`. */
export function withOwnSignatures(key: JsonObject, userId: string): JsonObject {
  const { signatures: _, unsigned: __, ...rest } = key;
  const own = signaturesOf(key, userId);
  return own.size === 0 ? rest : { ...rest, signatures: { [userId]: Object.fromEntries(own) } };
}

function isTexts(value: JsonValue | undefined): value is { [name: string]: string } {
  return isJsonObject(value) && Object.values(value).every((member) => typeof member === "string");
}

function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
