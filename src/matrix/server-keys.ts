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
  /** Those that it signed with before, for what is older than `expiredAt` (milliseconds since 1970). */
  oldKeys: Map<string, { key: Uint8Array<ArrayBuffer>; expiredAt: number }>;
  /** Milliseconds since 1970: up to then the keys may be used for requests. */
  validUntil: number;
};

/** The most that a document is believed for. @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export const MAX_KEY_VALIDITY_MS = 7 * 24 * 60 * 60_000;

/** Servers have one key, or two while they change it; and those that they had before. */
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
  const oldEntries = Object.entries(isJsonObject(document.old_verify_keys) ? document.old_verify_keys : {});
  if (Math.max(entries.length, oldEntries.length) > MAX_KEYS) {
    throw badJson(`A key document has at most ${MAX_KEYS} keys.`);
  }
  const keys: ServerKeys["keys"] = new Map();
  for (const [keyId, value] of entries) {
    const key = isKeyId(keyId) && isJsonObject(value) ? ed25519Key(value.key) : undefined;
    if (key === undefined) continue;
    if (await verifySignedJson(document, serverName, keyId, key, ed25519)) keys.set(keyId, key);
  }
  if (keys.size === 0) {
    throw new MatrixError("M_INVALID_SIGNATURE", 400, "None of its keys has signed the key document.");
  }
  const oldKeys: ServerKeys["oldKeys"] = new Map();
  for (const [keyId, value] of oldEntries) {
    if (!isKeyId(keyId) || !isJsonObject(value) || keys.has(keyId)) continue;
    const { key: text, expired_ts: expiredAt } = value;
    const key = ed25519Key(text);
    if (key !== undefined && typeof expiredAt === "number") oldKeys.set(keyId, { key, expiredAt });
  }
  return { keys, oldKeys, validUntil };
}

/** Which of its relays a server names, so that others can leave there what they cannot deliver. */
export const RELAYS_FIELD = "io.hearth.relays";
/** A node has one or two. */
const MAX_RELAYS = 8;
const MAX_URL_LENGTH = 255;

/** The relays that a key document names: addresses as they stand there, which are still to be checked. */
export function relaysInServerKeys(document: JsonObject): string[] {
  const named = document[RELAYS_FIELD];
  if (!Array.isArray(named)) return [];
  const urls = named.filter((url): url is string => typeof url === "string");
  return urls.filter((url) => url.length <= MAX_URL_LENGTH).slice(0, MAX_RELAYS);
}

/** Others ask again at the half of it; a server that is away for longer than all of it cannot be checked anew. */
export const SERVER_KEYS_VALID_MS = 7 * 24 * 60 * 60_000;

/**
 * The document that says with which key a server signs.
 * @param now - milliseconds since 1970
 * @param relays - URLs of those that keep mail for the server
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function serverKeyDocument(
  serverName: string,
  key: SigningKey,
  now: number,
  relays: readonly string[] = [],
): Promise<JsonObject> {
  const document = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: {},
    valid_until_ts: now + SERVER_KEYS_VALID_MS,
    ...(relays.length > 0 && { [RELAYS_FIELD]: relays.slice(0, MAX_RELAYS) }),
  };
  return signJson(document, serverName, key.keyId, key.sign);
}
