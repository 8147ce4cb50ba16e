import { etc, getPublicKey, hashes, Point, sign } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Ed25519, equalBytes, mayVerify, requireSeed } from "./ed25519-rules.ts";

const { n: order } = Point.CURVE();

/**
 * Ed25519 in JavaScript, for platforms without it: about 1 ms a signature.
 *
 * The library's own `verify` multiplies by the cofactor, and so accepts torsioned signatures that WebCrypto
 * refuses. The equation is therefore written out here.
 */
export function nobleEd25519(): Ed25519 {
  // Without it the library asks crypto.subtle, which an insecure context does not have.
  hashes.sha512 = sha512;
  return {
    async publicKey(seed) {
      requireSeed(seed);
      return getPublicKey(seed);
    },
    async signer(seed) {
      requireSeed(seed);
      const key = seed.slice();
      return async (message) => sign(message, key);
    },
    async verify(publicKey, message, signature) {
      if (!mayVerify(publicKey, signature)) return false;
      const a = decodePoint(publicKey);
      if (a === undefined) return false;
      const r = signature.subarray(0, 32);
      const s = littleEndian(signature.subarray(32));
      const k = littleEndian(sha512(etc.concatBytes(r, publicKey, message))) % order;
      const expected = Point.BASE.multiply(s, false).subtract(a.multiply(k, false));
      return equalBytes(expected.toBytes(), r);
    },
  };
}

function decodePoint(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes);
  } catch {
    // Its only complaint about 32 bytes with y < p: there is no such point on the curve.
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${etc.bytesToHex(bytes.slice().reverse())}`);
}
