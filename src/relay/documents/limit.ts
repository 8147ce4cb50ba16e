import { Buffer } from "node:buffer";
import { tooLarge } from "../../matrix/errors.ts";

/** Bytes of one document's JSON. */
export const MAX_DOCUMENT = 512 * 1024;

/** @throws {MatrixError} M_TOO_LARGE (413) */
export function encodeDocument(document: unknown): string {
  const text = JSON.stringify(document);
  if (Buffer.byteLength(text) > MAX_DOCUMENT) {
    throw tooLarge(`What is kept as one document has at most ${MAX_DOCUMENT} bytes.`);
  }
  return text;
}
