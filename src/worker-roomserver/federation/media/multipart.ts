import { encodeUtf8 } from "../../../matrix/utf8.ts";

/** What is said of media beside it: there is nothing yet. */
const METADATA = "{}";

/** Bytes with the headers that belong to them. */
export type Part = { headers: Record<string, string>; blob: Blob };

/**
 * Media as servers send it: a part of metadata, and one of bytes, which are read from the disk as they are sent.
 * @param boundary - does not occur in the bytes: long and random
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 * @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 */
export function multipart({ headers, blob }: Part, boundary: string): ReadableStream<Uint8Array> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const before =
    `--${boundary}\r\nContent-Type: application/json\r\n\r\n${METADATA}\r\n` +
    `--${boundary}\r\n${lines.join("")}\r\n`;
  return new Blob([encodeUtf8(before), blob, encodeUtf8(`\r\n--${boundary}--\r\n`)]).stream();
}
