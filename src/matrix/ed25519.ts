import { decodeBase64 } from "./base64.ts";
import type { Ed25519 } from "./ed25519-rules.ts";
import { type Subtle, webCryptoEd25519 } from "./ed25519-webcrypto.ts";

export type { Ed25519 } from "./ed25519-rules.ts";
export { type Subtle, webCryptoEd25519 } from "./ed25519-webcrypto.ts";

// RFC 8032 section 7.1, test 1: the empty message.
const sample = {
  seed: bytes("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
  publicKey: bytes("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
  signature: bytes("5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw"),
};

/**
 * The fastest Ed25519 that works: the platform's where it really signs and verifies, else JavaScript. It is
 * tried out, because some browsers list the algorithm behind a flag and fail only when it is used.
 * @param subtle - `crypto.subtle`, undefined in insecure contexts
 */
export async function chooseEd25519(subtle: Subtle | undefined): Promise<Ed25519> {
  if (subtle !== undefined) {
    const native = webCryptoEd25519(subtle);
    if (await works(native)) return native;
  }
  // Hardly any browser needs it.
  const { nobleEd25519 } = await import("./ed25519-noble.ts");
  return nobleEd25519();
}

async function works(ed25519: Ed25519): Promise<boolean> {
  const message = new Uint8Array();
  const other = Uint8Array.of(0);
  try {
    const sign = await ed25519.signer(sample.seed);
    return (
      (await ed25519.verify(sample.publicKey, message, sample.signature)) &&
      (await ed25519.verify(await ed25519.publicKey(sample.seed), other, await sign(other))) &&
      !(await ed25519.verify(sample.publicKey, other, sample.signature))
    );
  } catch {
    // Whatever the reason, NotSupportedError or a missing method, JavaScript takes its place.
    return false;
  }
}

function bytes(base64: string): Uint8Array {
  return decodeBase64(base64) ?? new Uint8Array();
}
