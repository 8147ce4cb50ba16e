import { sha256 } from "../../matrix/hashes.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";
import { type Changes, changesToRow, rowToChanges } from "./operations.ts";
import type { ChangesRow, JournalKey } from "./schema.ts";

/*
 * A record of the journal in a file: its length in bytes (4), eight bytes of the SHA-256 of what follows, its key
 * (8, a float), and its changes as JSON in UTF-8. What was written in part, or is left from an earlier use of
 * the file, shows by that.
 */

const utf8 = new TextDecoder();

const LENGTH = 4;
const CHECK = 8;
const KEY = 8;
const HEAD = LENGTH + CHECK + KEY;

export type JournalRecord = { key: JournalKey; changes: Changes };

/** @throws TypeError for what JSON cannot keep */
export function encodeRecord(key: JournalKey, changes: Changes): Uint8Array<ArrayBuffer> {
  const json = encodeUtf8(JSON.stringify(changesToRow(changes), keepNumbers));
  const record = new Uint8Array(HEAD + json.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, record.length);
  view.setFloat64(LENGTH + CHECK, key);
  record.set(json, HEAD);
  record.set(sha256(record.subarray(LENGTH + CHECK)).subarray(0, CHECK), LENGTH);
  return record;
}

/**
 * The records from the beginning of the bytes up to the first that is not whole, or does not follow the one before.
 * @param after - records up to this key are passed over, which costs next to nothing
 */
export function* decodeRecords(bytes: Uint8Array<ArrayBuffer>, after: JournalKey): Generator<JournalRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let last: JournalKey | undefined;
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const length = view.getUint32(at);
    if (length < HEAD || at + length > bytes.length) return;
    const key = view.getFloat64(at + LENGTH + CHECK);
    if (last !== undefined && key !== last + 1) return;
    if (key > after) {
      const check = sha256(bytes.subarray(at + LENGTH + CHECK, at + length));
      for (let i = 0; i < CHECK; i++) if (check[i] !== bytes[at + LENGTH + i]) return;
      const json = utf8.decode(bytes.subarray(at + HEAD, at + length));
      yield { key, changes: rowToChanges(JSON.parse(json, restoreNumbers) as ChangesRow) };
    }
    last = key;
    at += length;
  }
}

/** The arrays of numbers that rows may hold; no row has members of these names. */
const arrays = { "\0bytes": Uint8Array, "\0numbers": Uint32Array } as const;

function keepNumbers(_: string, value: unknown): unknown {
  if (typeof value === "function" || value instanceof Blob) throw notKept();
  if (!ArrayBuffer.isView(value)) return value;
  for (const [name, type] of Object.entries(arrays)) {
    if (value instanceof type) return { [name]: Array.from(value) };
  }
  throw notKept();
}

function restoreNumbers(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const [name, type] of Object.entries(arrays)) {
    if (name in value) return type.from((value as Record<string, number[]>)[name]!);
  }
  return value;
}

const notKept = () => new TypeError("a row holds what the journal cannot keep");
