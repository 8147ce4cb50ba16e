import { decodeBase64, encodeBase64 } from "../../../matrix/base64.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import { MAX_KEY_VALIDITY_MS, type ServerKeys } from "../../../matrix/server-keys.ts";
import type { ServerKeyRow, ServerKeysRow } from "../../storage/schema.ts";

/** Those of several documents together; a server that changes its key each month has them for five years. */
const MAX_KEYS = 64;
/** Older documents are only there to be shown to others. */
const MAX_DOCUMENTS = 4;

const nothing: ServerKeysRow = { keys: {}, documents: [], askedAt: 0 };
const keyOf = (row: ServerKeysRow, keyId: string): ServerKeyRow | undefined =>
  Object.hasOwn(row.keys, keyId) ? row.keys[keyId] : undefined;

/**
 * A key, if what it signed at that time counts.
 * @param at - milliseconds since 1970; 0 where the room version does not ask when
 * @param trust - `events`: also keys that only another server has told
 */
export function knownKey(
  row: ServerKeysRow | undefined,
  keyId: string,
  at: number,
  trust: "requests" | "events",
): Uint8Array<ArrayBuffer> | undefined {
  const known = row && keyOf(row, keyId);
  if (known === undefined || at > known.validUntil) return undefined;
  if (known.told === "hearsay" && trust === "requests") return undefined;
  return decodeBase64(known.key);
}

/**
 * What is known once a server has published this of itself. A key that it has proved stays what it is: another key by the
 * same id is passed over, so that nobody who takes over its name can change who signed the past.
 * @param text - the document
 */
export function afterOwnWord(
  row: ServerKeysRow = nothing,
  read: ServerKeys,
  text: string,
  now: number,
): ServerKeysRow {
  const keys = { ...row.keys };
  let isContradicted = false;
  const set = (keyId: string, told: ServerKeyRow) => {
    const known = keyOf(row, keyId);
    if (known === undefined || known.told === "hearsay" || known.key === told.key) keys[keyId] = told;
    else isContradicted = true;
  };
  const validUntil = Math.min(read.validUntil, now + MAX_KEY_VALIDITY_MS);
  for (const [keyId, key] of read.keys) set(keyId, { key: encodeBase64(key), validUntil, told: "current" });
  for (const [keyId, { key, expiredAt }] of read.oldKeys) {
    set(keyId, { key: encodeBase64(key), validUntil: Math.min(expiredAt, now), told: "old" });
  }
  const others = row.documents.filter((document) =>
    keyIdsOf(document).some((id) => !keyIdsOf(text).includes(id)),
  );
  const documents = isContradicted ? row.documents : [text, ...others].slice(0, MAX_DOCUMENTS);
  return { keys: bounded(keys), documents, askedAt: now };
}

/**
 * What is known once another server has passed this on as what the server has published. Each of its keys has signed it;
 * but whether they are the server's own, only who passes it on says. So it never changes what the server has told itself,
 * but that a key which that named still signs.
 */
export function afterHearsay(row: ServerKeysRow = nothing, read: ServerKeys, now: number): ServerKeysRow {
  const keys = { ...row.keys };
  const validUntil = Math.min(read.validUntil, now + MAX_KEY_VALIDITY_MS);
  for (const [keyId, bytes] of read.keys) {
    const key = encodeBase64(bytes);
    const known = keyOf(row, keyId);
    if (known === undefined) keys[keyId] = { key, validUntil, told: "hearsay" };
    else if (known.key === key && known.told !== "old") {
      keys[keyId] = { ...known, validUntil: Math.max(known.validUntil, validUntil) };
    }
  }
  for (const [keyId, { key, expiredAt }] of read.oldKeys) {
    if (keyOf(row, keyId) !== undefined) continue;
    keys[keyId] = { key: encodeBase64(key), validUntil: Math.min(expiredAt, now), told: "hearsay" };
  }
  return { ...row, keys: bounded(keys) };
}

/** What the server has told itself stays before all hearsay, and then those that count longest. */
function bounded(keys: ServerKeysRow["keys"]): ServerKeysRow["keys"] {
  const entries = Object.entries(keys);
  if (entries.length <= MAX_KEYS) return keys;
  const isHearsay = ({ told }: ServerKeyRow) => Number(told === "hearsay");
  entries.sort(([, a], [, b]) => isHearsay(a) - isHearsay(b) || b.validUntil - a.validUntil);
  return Object.fromEntries(entries.slice(0, MAX_KEYS));
}

function keyIdsOf(document: string): string[] {
  const { verify_keys, old_verify_keys } = JSON.parse(document) as { [name: string]: unknown };
  return [verify_keys, old_verify_keys].flatMap((keys) => (isJsonObject(keys) ? Object.keys(keys) : []));
}
