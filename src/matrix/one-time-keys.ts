import { encodeBase64 } from "./base64.ts";
import { canonicalJson } from "./canonical-json.ts";
import { signedText } from "./device-keys.ts";
import { badJson, invalidParam } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import { isKeyId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { encodeUtf8 } from "./utf8.ts";

/** A one-time or a fallback key. `fingerprint` is the same for the same key, whoever has signed it. */
export type NamedKey = { algorithm: string; id: string; json: string; fingerprint: string };

/**
 * Reads keys as they are uploaded. Their signatures are for those who claim them to check.
 * @throws {MatrixError} M_BAD_JSON (400) for what is no key; M_INVALID_PARAM (400) for a name that is none
 * @see https://spec.matrix.org/v1.19/client-server-api/#key-algorithms
 */
export function readNamedKeys(keys: JsonObject): NamedKey[] {
  return Object.entries(keys).map(([name, key]) => {
    if (!isKeyId(name)) throw invalidParam("A one-time key is named by its algorithm, a colon and an ID.");
    if (!isKey(key)) throw badJson("A one-time key is a text, or an object with a key and signatures.");
    const colon = name.indexOf(":");
    return {
      algorithm: name.slice(0, colon),
      id: name.slice(colon + 1),
      json: canonicalJson(key, "lenient"),
      fingerprint: fingerprintOf(key),
    };
  });
}

/**
 * The same with at most one for each algorithm, as fallback keys are.
 * @throws {MatrixError} as above, and M_INVALID_PARAM (400) for two of one algorithm
 */
export function readFallbackKeys(keys: JsonObject): NamedKey[] {
  const read = readNamedKeys(keys);
  if (new Set(read.map(({ algorithm }) => algorithm)).size < read.length) {
    throw invalidParam("There can be one fallback key for each algorithm.");
  }
  return read;
}

export function fingerprintOf(key: string | JsonObject): string {
  return encodeBase64(sha256(encodeUtf8(typeof key === "string" ? key : signedText(key))));
}

function isKey(value: JsonValue | undefined): value is string | JsonObject {
  if (typeof value === "string") return true;
  return isJsonObject(value) && typeof value.key === "string" && isJsonObject(value.signatures);
}
