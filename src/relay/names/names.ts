import { decodeBase32, encodeBase32 } from "../../matrix/base64.ts";
import { equalBytes } from "../../matrix/ed25519-rules.ts";
import { forbidden, MatrixError } from "../../matrix/errors.ts";
import { isServerName, keyFromServerName } from "../../matrix/server-names.ts";
import type { Documents } from "../documents/api.ts";
import type { Claim, Names } from "./api.ts";
import type { Domains } from "./domains.ts";
import { requireLabel } from "./labels.ts";

/** By a key in base32: the names that its node has had sessions under, the latest first, and what it was given. */
type NodeRecord = { names: string[]; labels?: string[] };
/** By a name: whose it is. `checked`: when a domain was last found to be this key's; absent for what was given here. */
type NameRecord = { key: string; checked?: number };

const NODE = "node";
const NAME = "name";

/** A key that has been a server under more names is not one that anybody has by accident. */
const MAX_SESSION_NAMES = 8;
const MAX_LABELS = 3;

const day = 24 * 60 * 60 * 1000;
/** For how long a domain's delegation is taken as it was found. */
const FRESH = day;
/** For how long it is taken where it cannot be found out just now: an outage of DNS locks nobody out. */
const STALE = 30 * day;

export type NamesOptions = {
  documents: Documents;
  domains: Domains;
  /** As in RelayInfo: with a port where it has one. */
  relayName: string;
  /** Whether nodes may ask for short names. */
  shortNames: boolean;
  /** Names that are not below the relay's own, each of the first node that comes with it. */
  givenNames: readonly string[];
  now: () => number;
};

export function openNames(options: NamesOptions): Names {
  const { documents, domains, relayName, shortNames, givenNames, now } = options;
  const recordOf = (name: string) => documents.read<NameRecord>(NAME, name);

  const keyOf = async (serverName: string): Promise<Uint8Array | undefined> => {
    const name = canonical(serverName, relayName);
    const own = keyFromServerName(name);
    if (own !== undefined) return own;
    const record = (await recordOf(name)) ?? (await recordOf(withoutPort(name)));
    if (record === undefined || isOver(record, now())) return undefined;
    return decodeBase32(record.key);
  };

  const nodeRecord = (key: Uint8Array) => documents.read<NodeRecord>(NODE, encodeBase32(key));

  /** Puts a name first among those of the key. */
  const remember = async (serverName: string, publicKey: Uint8Array) => {
    await documents.change<NodeRecord, void>(NODE, encodeBase32(publicKey), (record) => {
      if (record?.names[0] === serverName) return { result: undefined };
      const others = record?.names.filter((name) => name !== serverName) ?? [];
      const names = [serverName, ...others].slice(0, MAX_SESSION_NAMES);
      return { to: { ...record, names }, result: undefined };
    });
  };

  const refusal = async ({ serverName, publicKey }: Claim): Promise<string | undefined> => {
    if (!isServerName(serverName)) return "This is not a server name.";
    const own = keyFromServerName(serverName);
    if (own !== undefined) {
      return equalBytes(own, publicKey) ? undefined : "The server name is that of another key.";
    }
    if (canonical(serverName, relayName) !== serverName) return "The server name is written in another way.";
    const record = await recordOf(serverName);
    if (isUnder(serverName, relayName)) {
      if (record === undefined) return "The server name has not been given to anybody: ask for it first.";
      return record.key === encodeBase32(publicKey) ? undefined : givenAway;
    }
    if (givenNames.includes(serverName)) return givenRefusal(serverName, publicKey);
    return domainRefusal(serverName, publicKey, record);
  };

  /** Once it is somebody's, it stays theirs: two that come at once do not both get it. */
  const givenRefusal = async (serverName: string, publicKey: Uint8Array) => {
    const key = encodeBase32(publicKey);
    const holder = await documents.change<NameRecord, string>(NAME, serverName, (record) =>
      record === undefined ? { to: { key }, result: key } : { result: record.key },
    );
    return holder === key ? undefined : givenAway;
  };

  const domainRefusal = async (serverName: string, publicKey: Uint8Array, record?: NameRecord) => {
    const key = encodeBase32(publicKey);
    const since = record?.key === key && record.checked !== undefined ? now() - record.checked : Infinity;
    if (since < FRESH) return undefined;
    const found = await domains.belongsTo(serverName, publicKey);
    if (found === "yes") {
      const to: NameRecord = { key, checked: now() };
      await documents.change<NameRecord, void>(NAME, serverName, () => ({ to, result: undefined }));
      return undefined;
    }
    if (found === "unknown" && since < STALE) return undefined;
    const host = `${key}.${relayName}`;
    return found === "unknown"
      ? `It could not be found out whose this domain is: neither its /.well-known/matrix/server (which should lead to ${host}) nor its key document could be read.`
      : `The domain does not name this key: its /.well-known/matrix/server should lead to ${host}.`;
  };

  return {
    authorize: async (claim) => {
      const why = await refusal(claim);
      if (why === undefined) await remember(claim.serverName, claim.publicKey);
      return why;
    },
    keyOf,
    nodeOf: async (host) => {
      const name = canonical(host, relayName);
      const key = await keyOf(name);
      const names = key === undefined ? [] : ((await nodeRecord(key))?.names ?? []);
      if (names.includes(name)) return name;
      for (const known of names) {
        // A domain may have been given to another key since.
        const now = await keyOf(known);
        if (now !== undefined && key !== undefined && equalBytes(now, key)) return known;
      }
      return undefined;
    },
    claim: async (owner, label) => {
      if (!shortNames) throw forbidden("This relay gives no names.");
      requireLabel(label);
      const key = await keyOf(owner);
      if (key === undefined) throw forbidden("The node's key is not known.");
      const labels = (await nodeRecord(key))?.labels ?? [];
      const name = `${label}.${relayName}`;
      if (!labels.includes(name) && labels.length >= MAX_LABELS) {
        throw forbidden(`A node has at most ${MAX_LABELS} names.`);
      }
      const text = encodeBase32(key);
      const holder = await documents.change<NameRecord, string>(NAME, name, (record) =>
        record === undefined ? { to: { key: text }, result: text } : { result: record.key },
      );
      if (holder !== text) throw new MatrixError("M_USER_IN_USE", 409, "This name is taken.");
      // After the name itself: killed in between, the name is the node's all the same, and asking again lists it.
      await documents.change<NodeRecord, void>(NODE, text, (record) => ({
        to: { names: record?.names ?? [], labels: [...new Set([...(record?.labels ?? []), name])] },
        result: undefined,
      }));
      return name;
    },
    namesOf: async (owner) => {
      const key = await keyOf(owner);
      const record = key === undefined ? undefined : await nodeRecord(key);
      return [...new Set([owner, ...(record?.labels ?? [])])];
    },
  };
}

/** Whether a name says itself that another relay is its node's home. */
export function isOfAnotherRelay(serverName: string, relayName: string): boolean {
  const name = canonical(serverName, relayName);
  return keyFromServerName(name) !== undefined && name.includes(".") && !isUnder(name, relayName);
}

const givenAway = "The server name is given to another key.";

const isOver = ({ checked }: NameRecord, now: number) => checked !== undefined && now - checked >= STALE;

const withoutPort = (name: string) => name.replace(/:[0-9]{1,5}$/, "");

const isUnder = (name: string, relayName: string) => name.endsWith(`.${relayName}`);

/** A host has no upper case, and below the relay's own it leads to the same node whatever its port is. */
function canonical(name: string, relayName: string): string {
  const lower = name.toLowerCase();
  const host = withoutPort(lower);
  const suffix = `.${withoutPort(relayName)}`;
  if (!host.endsWith(suffix)) return lower;
  return `${host.slice(0, -suffix.length)}.${relayName}`;
}
