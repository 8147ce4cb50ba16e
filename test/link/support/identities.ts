import type { LinkIdentity } from "../../../src/link/api.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";

export const relayName = "relay.example.org";
export const keepAlive = { silence: 20_000, patience: 15_000 };
export const ed25519 = await chooseEd25519(globalThis.crypto.subtle as never);

export async function identityFrom(seedByte: number): Promise<LinkIdentity> {
  const seed = new Uint8Array(32).fill(seedByte);
  const publicKey = await ed25519.publicKey(seed);
  return {
    serverName: serverNameFromKey(publicKey),
    keyId: "ed25519:1",
    publicKey,
    sign: await ed25519.signer(seed),
  };
}
