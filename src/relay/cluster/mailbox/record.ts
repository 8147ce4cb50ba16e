import type { Mail } from "../../mailbox/api.ts";

/** An entry as it is put: all of the mail but its body. */
export type PutOperation = {
  type: "put";
  id: number;
  /** What it is known by later: see fingerprints.ts. base64url. */
  fingerprint: string;
  size: number;
  /** Where the body is in the record, in bytes; otherwise under which name it lies in so many pieces. */
  inline?: { from: number; length: number };
  body?: { key: string; pieces: number };
} & Omit<Mail, "body">;

export type Operation =
  | PutOperation
  | { type: "acknowledge"; upTo: number }
  | { type: "expire"; before: number }
  /** Its body is not there any more. */
  | { type: "lost"; id: number };

/** One step of a mailbox, all of it or nothing. */
export type Step = {
  /** The record before this one, 0 for none: whoever reads notices what is missing. */
  previous: number;
  /** The snapshot that readers start from, 0 for none. */
  base: number;
  /** Known to its writer alone. */
  nonce: string;
  operations: Operation[];
  /** All before this record is in these pieces. */
  snapshot?: { key: string; pieces: number };
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The length of the step in four bytes, the step as JSON, and bodies behind it. */
export function encodeRecord(step: Step, bodies: readonly Uint8Array[]): Uint8Array {
  const head = encoder.encode(JSON.stringify(step));
  const record = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 4 + head.length));
  new DataView(record.buffer).setUint32(0, head.length);
  record.set(head, 4);
  let at = 4 + head.length;
  for (const body of bodies) {
    record.set(body, at);
    at += body.length;
  }
  return record;
}

export function decodeRecord(record: Uint8Array): { step: Step; bodies: Uint8Array } {
  const length = new DataView(record.buffer, record.byteOffset, record.length).getUint32(0);
  const step = JSON.parse(decoder.decode(record.subarray(4, 4 + length))) as Step;
  return { step, bodies: record.subarray(4 + length) };
}
