import type { JsonBytes } from "./requester.ts";

const encoder = new TextEncoder();

/** A JSON answer as the bytes that go to the client. */
export function jsonBytes(value: unknown): JsonBytes {
  return encoder.encode(JSON.stringify(value));
}
