type Bytes = Uint8Array<ArrayBuffer>;

/** Browsers keep the bytes of blobs elsewhere, on the disk where they are many: so much is in memory here. */
const TOGETHER = 1024 * 1024;

/** A file that has more bytes than are taken. */
export class FileTooLarge extends Error {
  override readonly name = "FileTooLarge";
}

/** Puts bytes together as they come. @throws {FileTooLarge} and what the bytes fail with */
export async function collected(bytes: AsyncIterable<Bytes>, maxBytes: number, type: string): Promise<Blob> {
  const parts: Blob[] = [];
  let [chunks, size, total]: [Bytes[], number, number] = [[], 0, 0];
  for await (const chunk of bytes) {
    total += chunk.length;
    if (total > maxBytes) throw new FileTooLarge(`The file has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
    size += chunk.length;
    if (size < TOGETHER) continue;
    parts.push(new Blob(chunks));
    [chunks, size] = [[], 0];
  }
  return new Blob([...parts, ...chunks], { type });
}
