import type { Ed25519 } from "../../matrix/ed25519.ts";
import { type ServerName, serverNameFromKey } from "../../matrix/identifiers.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { Storage } from "../storage/api.ts";

/** The node's signing key as it is kept: its seed, so that it can be backed up. */
type IdentityRow = { seed: Uint8Array };

export type Identity = { serverName: ServerName; key: SigningKey };

/**
 * The node's key and name, made at the first start. The name is the key, so that it needs no authority: whoever
 * speaks for the name must sign with it.
 */
export async function openIdentity(storage: Storage, ed25519: Ed25519): Promise<Identity> {
  const stored = (await storage.get("meta", "identity")) as IdentityRow | undefined;
  const seed = stored?.seed ?? (await makeIdentity(storage));
  const publicKey = await ed25519.publicKey(seed);
  const serverName = serverNameFromKey(publicKey);
  // The name says which key it is; the key's id only has to be told from those of later keys.
  const keyId = `ed25519:${serverName.slice(0, 8)}`;
  return { serverName, key: { keyId, publicKey, sign: await ed25519.signer(seed) } };
}

async function makeIdentity(storage: Storage): Promise<Uint8Array> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  await storage.commit((write) => write.put("meta", { seed } satisfies IdentityRow, "identity"));
  return seed;
}
