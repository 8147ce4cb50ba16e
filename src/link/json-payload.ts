import { encodeUtf8 } from "../matrix/utf8.ts";
import { ProtocolError } from "./frames.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeJsonPayload(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

/** @throws {ProtocolError} for what is not JSON in UTF-8 */
export function parseJsonPayload(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    throw new ProtocolError("A payload that should be JSON is none.");
  }
}
