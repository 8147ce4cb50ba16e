/** No vowels, so that no words come out, and nothing that looks like something else (RFC 8628 section 6.1). */
const alphabet = "BCDFGHJKLMNPQRSTVWXZ";
const length = 8;
/** The largest multiple of the alphabet's size in a byte: what is above would make some letters more likely. */
const fairBytes = 256 - (256 % alphabet.length);

/**
 * A code that a person types in, such as `WDJB-MJHT`: 34 bits.
 * @param bytes - random ones; 32 of them are too few once in 10^23 times
 * @throws {RangeError} when they are too few
 */
export function userCodeOf(bytes: Uint8Array): string {
  const letters = [...bytes]
    .filter((byte) => byte < fairBytes)
    .slice(0, length)
    .map((byte) => alphabet[byte % alphabet.length]);
  if (letters.length < length) throw new RangeError("too few random bytes for a code");
  return `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`;
}

/**
 * What somebody has typed as `userCodeOf` writes it: small letters, spaces and dashes are no matter.
 * @returns undefined for what cannot be such a code
 */
export function readUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s-]/g, "");
  if (letters.length !== length || ![...letters].every((letter) => alphabet.includes(letter)))
    return undefined;
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}
