const standardAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const base32Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

const ascii = new TextDecoder();

const standardValues = valuesOf(standardAlphabet);
const urlValues = valuesOf(urlAlphabet);
const base32Values = valuesOf(base32Alphabet);

/**
 * Unpadded standard Base64 (`+` and `/`): signatures, keys, hashes.
 * @see https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */
export function encodeBase64(bytes: Uint8Array): string {
  return encode(bytes, standardAlphabet, 6);
}

/**
 * Unpadded URL-safe Base64 (`-` and `_`): event ids from room version 4 on.
 * @see https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64
 */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, urlAlphabet, 6);
}

/**
 * Reads Base64 as other servers do: padded or not, in either alphabet (never both), and whatever the bits are
 * that the last character has to spare. The spec's own signing seed sets one of those, and values are opaque
 * after decoding, so compare bytes and never texts.
 * @returns undefined for what is not Base64
 * @see https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const unpadded = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  if (unpadded.length % 4 === 1) return undefined;
  return decode(unpadded, /[-_]/.test(unpadded) ? urlValues : standardValues, 6)?.bytes;
}

/** Unpadded Base32 in lower case (RFC 4648 section 6): keys as server names. */
export function encodeBase32(bytes: Uint8Array): string {
  return encode(bytes, base32Alphabet, 5);
}

/**
 * Reads what `encodeBase32` writes and nothing else: no capitals, no padding, no spare bits set, so that one
 * key has one name.
 * @returns undefined for anything else
 */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  const decoded = decode(text, base32Values, 5);
  if (decoded === undefined || decoded.spare !== 0 || encodedLength(decoded.bytes.length) !== text.length) {
    return undefined;
  }
  return decoded.bytes;
}

const encodedLength = (byteCount: number) => Math.ceil((byteCount * 8) / 5);

/** Values by character code; 255 for a character that is not in the alphabet. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

function encode(bytes: Uint8Array, alphabet: string, width: number): string {
  // Codes rather than a text that grows: bodies of whole requests are written so.
  const codes = new Uint8Array(Math.ceil((bytes.length * 8) / width));
  let length = 0;
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= width) {
      bits -= width;
      codes[length++] = alphabet.charCodeAt((buffer >> bits) & ((1 << width) - 1));
    }
  }
  if (bits > 0) codes[length] = alphabet.charCodeAt((buffer << (width - bits)) & ((1 << width) - 1));
  return ascii.decode(codes);
}

/** `spare` holds the bits after the last whole byte. */
function decode(
  text: string,
  values: Uint8Array,
  width: number,
): { bytes: Uint8Array<ArrayBuffer>; spare: number } | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * width) / 8));
  let buffer = 0;
  let bits = 0;
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const value = values[text.charCodeAt(index)] ?? 255;
    if (value === 255) return undefined;
    buffer = ((buffer << width) | value) & 0xffff;
    bits += width;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = buffer >> bits;
    }
  }
  return { bytes, spare: buffer & ((1 << bits) - 1) };
}
