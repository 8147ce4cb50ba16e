import { invalidParam } from "./errors.ts";

/**
 * Ed25519 (RFC 8032, pure). Every implementation gives the same verdict on every input, forged ones included:
 * two nodes that disagreed about one signature would disagree about a room from then on. The rule is what
 * libsodium 1.0.18 checks, and what browsers can be made to check:
 * * S < L, so that a signature has one form;
 * * the public key A and the point R are encoded canonically (y < p) and are not of small order;
 * * then the equation without the cofactor: S·B − k·A, encoded, is R byte for byte. A key or an R with a
 *   torsion component may pass, as long as the components cancel.
 */
export interface Ed25519 {
  /** @param seed - 32 bytes; @returns 32 bytes */
  publicKey(seed: Uint8Array): Promise<Uint8Array>;
  /**
   * What signs with the key of this seed. A signature is 64 bytes; WebKit's differ each time, so never compare
   * two of them.
   */
  signer(seed: Uint8Array): Promise<(message: Uint8Array) => Promise<Uint8Array>>;
  /** False for whatever does not verify, wrong lengths included; it does not throw for bad input. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

export const seedLength = 32;
const pointLength = 32;
const signatureLength = 64;

// Little-endian, as on the wire.
const order = fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
const prime = fromHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
/** The y of the eight points of small order; x and −x share a y. */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map(fromHex);

/** The part of the rule that needs no arithmetic on the curve. It stands before every implementation. */
export function mayVerify(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    signature.length === signatureLength &&
    isBelow(signature.subarray(pointLength), order) &&
    isProperPoint(publicKey) &&
    isProperPoint(signature.subarray(0, pointLength))
  );
}

/** @throws {MatrixError} M_INVALID_PARAM (400) */
export function requireSeed(seed: Uint8Array): void {
  if (seed.length !== seedLength) throw invalidParam(`An Ed25519 seed has ${seedLength} bytes.`);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function isProperPoint(point: Uint8Array): boolean {
  if (point.length !== pointLength) return false;
  const y = point.slice();
  // The top bit is the sign of x. Where x is 0 it has to be 0 too, but those points are of small order.
  y[pointLength - 1]! &= 0x7f;
  return isBelow(y, prime) && !smallOrder.some((small) => equalBytes(y, small));
}

/** Of two little-endian numbers of the same length, whether the first is the smaller. */
function isBelow(number: Uint8Array, limit: Uint8Array): boolean {
  for (let index = limit.length - 1; index >= 0; index--) {
    if (number[index] !== limit[index]) return number[index]! < limit[index]!;
  }
  return false;
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}
