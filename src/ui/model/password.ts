const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

/**
 * A strong password that can still be read aloud and typed: five groups of four characters, 100 bits.
 * The alphabet has 32 characters, so that a byte's low five bits pick one without bias.
 */
export function generatePassword(randomBytes: (count: number) => Uint8Array): string {
  const characters = [...randomBytes(20)].map((byte) => alphabet.charAt(byte & 31));
  return [0, 4, 8, 12, 16].map((start) => characters.slice(start, start + 4).join("")).join("-");
}
