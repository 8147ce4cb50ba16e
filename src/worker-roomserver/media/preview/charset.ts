/** Where a page names its encoding, if it does: the first bytes of it. */
const searched = 4096;

const boms: readonly (readonly [bytes: readonly number[], label: string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xff, 0xfe], "utf-16le"],
];

/**
 * The text of a page: by its byte order mark, by what the server says, by what it says itself, or as UTF-8.
 * @param contentType - the header of that name
 * @see https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 */
export function decodePage(bytes: Uint8Array<ArrayBuffer>, contentType: string): string {
  const bom = boms.find(([mark]) => mark.every((byte, i) => bytes[i] === byte))?.[1];
  const label = bom ?? charsetIn(contentType) ?? ownCharset(bytes) ?? "utf-8";
  return (decoderFor(label) ?? new TextDecoder()).decode(bytes);
}

const charsetIn = (text: string) => /charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(text)?.[1];

function ownCharset(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, searched));
  for (const [tag] of start.matchAll(/<meta\b[^>]*>|<\?xml\b[^>]*>/gi)) {
    const charset = charsetIn(tag) ?? /<\?xml\b.*\bencoding\s*=\s*["']([\w.:-]+)/i.exec(tag)?.[1];
    // A page that could say so in ASCII is not in UTF-16.
    if (charset !== undefined) return /^utf-16/i.test(charset) ? "utf-8" : charset;
  }
  return undefined;
}

/** Undefined for an encoding that nobody knows. */
function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
