import type { Ed25519 } from "../../../src/matrix/ed25519.ts";
import type { SigningKey } from "../../../src/matrix/signing.ts";

/** Servers that users of the measured rooms are on: each event is signed by that of its sender. */
export type Servers = {
  /** One for a number of any size: the servers take turns. */
  at(number: number): string;
  keyOf(serverName: string): SigningKey;
};

const COUNT = 5;

export async function makeServers(ed25519: Ed25519): Promise<Servers> {
  const keys = new Map<string, SigningKey>();
  for (let i = 0; i < COUNT; i++) {
    const seed = new Uint8Array(32).fill(i + 1);
    const [publicKey, sign] = [await ed25519.publicKey(seed), await ed25519.signer(seed)];
    keys.set(`server${i}.example`, { keyId: "ed25519:1", publicKey, sign });
  }
  return {
    at: (number) => `server${number % COUNT}.example`,
    keyOf: (serverName) => {
      const key = keys.get(serverName);
      if (key === undefined) throw new Error(`there is no server ${serverName}`);
      return key;
    },
  };
}
