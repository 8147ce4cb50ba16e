import { encodeUtf8 } from "../../../matrix/utf8.ts";
import { ByteSource } from "./byte-source.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Of the headers of a part, and of the metadata, which is an empty object still. */
const MAX_HEADERS = 16 * 1024;
const MAX_METADATA = 64 * 1024;
/** @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1 */
const boundaryIn = /^multipart\/mixed\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** The file of an answer with media: its headers by names in lower case, and its bytes as they come. */
export type FilePart = {
  headers: Map<string, string>;
  /** Fails with BrokenMultipart where the file does not end, and with what the answer fails with. */
  bytes: AsyncGenerator<Bytes, void>;
};

/** An answer that is not what servers send media in. */
export class BrokenMultipart extends Error {
  override readonly name = "BrokenMultipart";
}

/**
 * Reads the second part of a `multipart/mixed` answer as it comes. What follows it is not looked at.
 * @param type - the answer's `Content-Type`
 * @throws {BrokenMultipart}
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export async function readMultipart(type: string, body: ReadableStream<Bytes>): Promise<FilePart> {
  const [, quoted, bare] = boundaryIn.exec(type) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) {
    await body.cancel();
    throw new BrokenMultipart("The answer is no multipart/mixed.");
  }
  const mark = encodeUtf8(`\r\n--${boundary}`) as Bytes;
  // A boundary stands at the beginning of a line, and the first line may be one.
  const source = new ByteSource(body, encodeUtf8("\r\n") as Bytes);
  try {
    await required(source.take(mark, MAX_METADATA));
    await required(source.take(mark, MAX_METADATA));
    const head = await required(source.take(encodeUtf8("\r\n\r\n") as Bytes, MAX_HEADERS));
    return { headers: headersIn(head), bytes: file(source, mark) };
  } catch (error) {
    await source.cancel();
    throw error;
  }
}

async function* file(source: ByteSource, mark: Bytes): AsyncGenerator<Bytes, void> {
  try {
    if (!(yield* source.until(mark))) throw new BrokenMultipart("The file breaks off.");
  } finally {
    await source.cancel();
  }
}

async function required(taken: Promise<Bytes | undefined>): Promise<Bytes> {
  const found = await taken;
  if (found === undefined) throw new BrokenMultipart("A part of the answer is missing, or far too long.");
  return found;
}

function headersIn(head: Bytes): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of new TextDecoder().decode(head).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
