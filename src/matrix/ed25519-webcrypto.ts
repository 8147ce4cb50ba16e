import { decodeBase64 } from "./base64.ts";
import { type Ed25519, mayVerify, requireSeed } from "./ed25519-rules.ts";

type Algorithm = { name: "Ed25519" };
type Usage = "sign" | "verify";

/** What of `crypto.subtle` is used here; `Key` is its CryptoKey, of which nothing needs to be known. */
export interface Subtle<Key extends object = object> {
  importKey(
    format: "raw" | "pkcs8",
    data: Uint8Array<ArrayBuffer>,
    algorithm: Algorithm,
    extractable: boolean,
    usages: Usage[],
  ): Promise<Key>;
  exportKey(format: "jwk", key: Key): Promise<{ x?: string }>;
  sign(algorithm: Algorithm, key: Key, message: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  verify(
    algorithm: Algorithm,
    key: Key,
    signature: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

const algorithm: Algorithm = { name: "Ed25519" };
// RFC 8410: a PrivateKeyInfo around the seed, which is the only form WebCrypto takes a private key in but JWK,
// and that wants the public key as well.
const pkcs8Head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/** A busy room's servers sign with some hundred keys; importing one costs as much as a verification. */
const cachedKeys = 512;

/**
 * Ed25519 by the platform, 20 to 100 times as fast as in JavaScript. Whether `subtle` has it is for
 * `chooseEd25519` to find out.
 */
export function webCryptoEd25519(subtle: Subtle): Ed25519 {
  const publicKeys = new Map<string, Promise<object>>();

  /** The imported key; the one used longest ago makes room for a new one. */
  function importPublicKey(publicKey: Uint8Array): Promise<object> {
    const name = String.fromCharCode(...publicKey);
    const key = publicKeys.get(name) ?? subtle.importKey("raw", own(publicKey), algorithm, false, ["verify"]);
    publicKeys.delete(name);
    publicKeys.set(name, key);
    if (publicKeys.size > cachedKeys) publicKeys.delete(publicKeys.keys().next().value ?? name);
    return key;
  }

  function importSeed(seed: Uint8Array, extractable: boolean): Promise<object> {
    requireSeed(seed);
    return subtle.importKey("pkcs8", Uint8Array.of(...pkcs8Head, ...seed), algorithm, extractable, ["sign"]);
  }

  return {
    async publicKey(seed) {
      const { x } = await subtle.exportKey("jwk", await importSeed(seed, true));
      const publicKey = decodeBase64(x ?? "");
      if (publicKey?.length !== 32) throw new Error("The platform exported an Ed25519 key without its x.");
      return publicKey;
    },
    async signer(seed) {
      const key = await importSeed(seed, false);
      return async (message) => new Uint8Array(await subtle.sign(algorithm, key, own(message)));
    },
    async verify(publicKey, message, signature) {
      if (!mayVerify(publicKey, signature)) return false;
      try {
        return await subtle.verify(algorithm, await importPublicKey(publicKey), own(signature), own(message));
      } catch (error) {
        // Some platforms refuse 32 bytes that are no point of the curve at import, others verify to false.
        if (isRefusal(error)) return false;
        throw error;
      }
    },
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && (error.name === "DataError" || error.name === "OperationError");
}

/** WebCrypto takes no view of shared memory. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}
