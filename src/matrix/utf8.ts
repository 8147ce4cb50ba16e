const loneSurrogate = /\p{Surrogate}/u;
const encoder = new TextEncoder();

/** The bytes of `text`. A lone surrogate becomes U+FFFD: refuse it before. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/**
 * The number of bytes of `text` in UTF-8, the unit of the protocol's limits, found without encoding it.
 * A lone surrogate counts 3, as the U+FFFD that an encoder writes for it.
 */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // The two halves of a surrogate pair are 4 bytes for 2 units; any other unit from U+0800 on is 3 for 1.
    if (unit < 0x800) bytes += 1;
    else if (isPairAt(text, index, unit)) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

function isPairAt(text: string, index: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/** Whether `text` is not Unicode: half a surrogate pair has no UTF-8, so it can be neither hashed nor signed. */
export function hasLoneSurrogate(text: string): boolean {
  return loneSurrogate.test(text);
}

/**
 * Orders strings by Unicode code point, as canonical JSON and every ordering of the protocol want it.
 * JavaScript's own `<` goes by UTF-16 unit and so puts U+10000 and above before U+E000 to U+FFFF.
 * @returns below 0, 0 or above 0, for `Array.prototype.sort`
 */
export function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind the rest of the 16-bit range, where the code points that they stand for are. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
