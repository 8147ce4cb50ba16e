import { ed25519Key, invalidSignature, withOwnSignatures } from "./device-keys.ts";
import type { Ed25519 } from "./ed25519-rules.ts";
import { invalidParam } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { verifySignedJson } from "./signing.ts";

/** What a cross-signing key is for; in the order in which one is needed for the next. */
export const USAGES = ["master", "self_signing", "user_signing"] as const;
export type Usage = (typeof USAGES)[number];

/** `publicKey`: in Base64, as it names the key; `keyId` is that with its algorithm. */
export type CrossSigningKey = { json: JsonObject; keyId: string; publicKey: string; bytes: Uint8Array };

/**
 * Holds a cross-signing key to its form. Its signatures are another question.
 * @returns the key as it is kept, without signatures of others than its owner
 * @throws {MatrixError} M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload
 */
export function readCrossSigningKey(key: JsonObject, userId: string, usage: Usage): CrossSigningKey {
  const name = `${usage}_key`;
  if (key.user_id !== userId) throw invalidParam(`"${name}.user_id" is not the user who uploads it.`);
  if (!Array.isArray(key.usage) || !key.usage.includes(usage)) {
    throw invalidParam(`"${name}.usage" should be ["${usage}"].`);
  }
  const keys = isJsonObject(key.keys) ? Object.entries(key.keys) : [];
  const [keyId, publicKey] = keys[0] ?? [];
  const bytes = ed25519Key(publicKey);
  if (keys.length !== 1 || keyId !== `ed25519:${String(publicKey)}` || bytes === undefined) {
    throw invalidParam(`"${name}.keys" should have one Ed25519 key, under its own name.`);
  }
  return { json: withOwnSignatures(key, userId), keyId, publicKey: String(publicKey), bytes };
}

/** @throws {MatrixError} M_INVALID_SIGNATURE (400) if the master key has not signed the other one */
export async function requireSignedByMaster(
  key: CrossSigningKey,
  master: CrossSigningKey,
  userId: string,
  ed25519: Ed25519,
): Promise<void> {
  if (await verifySignedJson(key.json, userId, master.keyId, master.bytes, ed25519)) return;
  throw invalidSignature("A cross-signing key is not signed by the master key.");
}
