import { encodeBase64 } from "./base64.ts";
import { ed25519Key } from "./device-keys.ts";
import type { Ed25519 } from "./ed25519-rules.ts";
import { badJson, invalidParam, MatrixError } from "./errors.ts";
import { isKeyId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { type SigningKey, signJson, verifySignedJson } from "./signing.ts";

/** The keys that a server signs with now, each of which has signed the document that they come from. */
export type ServerKeys = {
  keys: Map<string, Uint8Array<ArrayBuffer>>;
  /** Milliseconds since 1970: up to then the keys may be used for requests. */
  validUntil: number;
};

/** Servers have one key, or two while they change it. */
const MAX_KEYS = 32;

/**
 * Reads what a server publishes of its keys, and leaves out keys that have not signed it.
 * @throws {MatrixError} M_BAD_JSON (400) for what is no key document; M_INVALID_PARAM (400) for one of another server;
 *   M_INVALID_SIGNATURE (400) where none of its keys has signed it
 * @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
 */
export async function readServerKeys(
  document: JsonValue,
  serverName: string,
  ed25519: Ed25519,
): Promise<ServerKeys> {
  if (!isJsonObject(document) || !isJsonObject(document.verify_keys)) {
    throw badJson("A key document is an object with verify_keys.");
  }
  if (document.server_name !== serverName) throw invalidParam("The key document is of another server.");
  const validUntil = document.valid_until_ts;
  if (typeof validUntil !== "number" || !Number.isSafeInteger(validUntil) || validUntil < 0) {
    throw badJson("valid_until_ts should be milliseconds since 1970.");
  }
  const entries = Object.entries(document.verify_keys);
  if (entries.length > MAX_KEYS) throw badJson(`A key document has at most ${MAX_KEYS} keys.`);
  const keys: ServerKeys["keys"] = new Map();
  for (const [keyId, value] of entries) {
    const key = isKeyId(keyId) && isJsonObject(value) ? ed25519Key(value.key) : undefined;
    if (key === undefined) continue;
    if (await verifySignedJson(document, serverName, keyId, key, ed25519)) keys.set(keyId, key);
  }
  if (keys.size === 0) {
    throw new MatrixError("M_INVALID_SIGNATURE", 400, "None of its keys has signed the key document.");
  }
  return { keys, validUntil };
}

/** Others ask again at the half of it; a server that is away for longer than all of it cannot be checked anew. */
export const SERVER_KEYS_VALID_MS = 7 * 24 * 60 * 60_000;

/**
 * The document that says with which key a server signs.
 * @param now - milliseconds since 1970
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function serverKeyDocument(serverName: string, key: SigningKey, now: number): Promise<JsonObject> {
  const document = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: {},
    valid_until_ts: now + SERVER_KEYS_VALID_MS,
  };
  return signJson(document, serverName, key.keyId, key.sign);
}
