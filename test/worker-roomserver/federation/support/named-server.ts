import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import { serverNameFromKey } from "../../../../src/matrix/server-names.ts";
import type { SigningKey } from "../../../../src/matrix/signing.ts";

/** Another server, whose name is its key: whoever meets it knows with what it signs. */
export type NamedServer = { serverName: string; key: SigningKey };

export async function namedServer(): Promise<NamedServer> {
  const ed25519 = await chooseEd25519(crypto.subtle);
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = await ed25519.publicKey(seed);
  return {
    serverName: serverNameFromKey(publicKey),
    key: { keyId: "ed25519:test", publicKey, sign: await ed25519.signer(seed) },
  };
}
