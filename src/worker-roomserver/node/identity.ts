import type { Ed25519 } from "../../matrix/ed25519.ts";
import {
  isServerName,
  keyFromServerName,
  type ServerName,
  serverNameFromKey,
} from "../../matrix/identifiers.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { Storage } from "../storage/api.ts";

/**
 * The node's signing key as it is kept: its seed, so that it can be backed up. Without a name, that is the key: so it was
 * before there were relays.
 */
type IdentityRow = { seed: Uint8Array; serverName?: ServerName };

export type Identity = { serverName: ServerName; key: SigningKey };

/**
 * The relay that has served the page, if one has: its URL, and what follows the key in the names of nodes that have it
 * as their home (`home_suffix`), where it can be that. Not more than some seconds, and never an error.
 */
export type AskHomeRelay = () => Promise<{ url: string; name: string; suffix?: string } | undefined>;

/**
 * The node's key and name, made at the first start. The name is the key, so that it needs no authority: whoever
 * speaks for the name must sign with it. Served by a relay, it ends in the relay's name, by which others find it; or it is
 * a name of the owner's, which others find by its domain. That is decided once, as events and users bear the name for ever.
 * @param ownersName - undefined: none, or the one that it has
 * @throws Error with a sentence for the owner, for a name that it cannot have, or not any more
 */
export async function openIdentity(
  storage: Storage,
  ed25519: Ed25519,
  homeRelay: AskHomeRelay = async () => undefined,
  ownersName?: string,
): Promise<Identity> {
  const stored = (await storage.get("meta", "identity")) as IdentityRow | undefined;
  const row = stored ?? (await makeIdentity(storage, ed25519, homeRelay, ownersName));
  const publicKey = await ed25519.publicKey(row.seed);
  const ownName = serverNameFromKey(publicKey);
  const { serverName = ownName } = row;
  if (ownersName !== undefined && ownersName !== serverName) {
    throw new Error(
      `This homeserver is ${serverName}, and cannot become ${ownersName}: it needs another profile.`,
    );
  }
  // The name says which key it is; the key's id only has to be told from those of later keys.
  const keyId = `ed25519:${ownName.slice(0, 8)}`;
  const key = { keyId, publicKey, sign: await ed25519.signer(row.seed) };
  return { serverName, key };
}

/** The longest name that leaves room for names of users: an id has at most 255 bytes. */
const MOST_NAME_BYTES = 200;

/** In one unit: a name without its key would be lost, and a key without its name would take another at the next start. */
async function makeIdentity(
  storage: Storage,
  ed25519: Ed25519,
  homeRelay: AskHomeRelay,
  ownersName: string | undefined,
): Promise<IdentityRow> {
  const chosen = ownersName === undefined ? undefined : checkedName(ownersName);
  const home = await homeRelay();
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const ownName = serverNameFromKey(await ed25519.publicKey(seed));
  const homeName = home?.suffix && `${ownName}.${home.suffix}`;
  const isHome = chosen === undefined && isServerName(homeName) && isGoodHomeName(homeName);
  const row: IdentityRow = { seed, serverName: chosen ?? (isHome ? homeName : ownName) };
  await storage.commit((write) => {
    write.put("meta", row, "identity");
    if (home === undefined) return;
    const added = isHome ? "home" : "owner";
    write.put("relays", { name: home.name, added, clientApi: false, names: [], takenBack: 0 }, home.url);
  });
  return row;
}

/** One that proves its key, in the one spelling that all others have of it. */
const isGoodHomeName = (name: string) =>
  name.length <= MOST_NAME_BYTES && keyFromServerName(name) !== undefined && name === name.toLowerCase();

/** A name that others spell as it is, and that is not the key of somebody else. */
function checkedName(name: string): ServerName {
  const isGood = isServerName(name) && name.length <= MOST_NAME_BYTES && name === name.toLowerCase();
  if (isGood && keyFromServerName(name) === undefined) return name;
  throw new Error(`${name} cannot be the name of this homeserver: it should look like example.org.`);
}
