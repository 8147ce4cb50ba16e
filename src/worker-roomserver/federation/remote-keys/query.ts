import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import type { Failures, RemoteUserKeys, WantedDevices } from "../../keys/api.ts";
import { type FederationClient, FederationError } from "../api.ts";
import { askServers, byServer } from "./ask-servers.ts";
import type { RemoteLists } from "./lists.ts";
import { type ReadKeys, readQueried } from "./read-keys.ts";

/** Users that are asked for in one request: answers have a few kilobytes of each. */
const USERS_AT_ONCE = 250;
const MAX_BYTES = 10 * 1024 * 1024;
/** Users that are looked up here together. */
const TOGETHER = 100;

export type QueryOptions = {
  client: Pick<FederationClient, "request">;
  lists: RemoteLists;
  ed25519: Ed25519;
  isShared: (userId: string) => Promise<boolean>;
  now: () => number;
};

type Found = Map<string, RemoteUserKeys>;

/**
 * @see RemoteKeys.query
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery
 */
export async function queryRemote(
  options: QueryOptions,
  wanted: WantedDevices,
  timeoutMs: number,
): Promise<{ users: Found; failures: Failures }> {
  const users: Found = new Map();
  const unknown: [string, Wanted][] = [];
  const all = Object.entries(wanted);
  for (let at = 0; at < all.length; at += TOGETHER) {
    const part = all.slice(at, at + TOGETHER);
    const kept = await Promise.all(part.map(([userId]) => lookUp(options, userId)));
    part.forEach(([userId, devices], i) => {
      const { keys, isShared } = kept[i]!;
      if (keys === undefined) unknown.push([userId, { devices, isShared }]);
      else users.set(userId, shown(keys, devices));
    });
  }
  const servers = byServer(unknown);
  const failures = await askServers(servers.keys(), { timeoutMs, now: options.now }, async (server, left) => {
    const asked = [...servers.get(server)!];
    for (let at = 0; at < asked.length; at += USERS_AT_ONCE) {
      const part = new Map(asked.slice(at, at + USERS_AT_ONCE));
      for (const [userId, keys] of await ask(options, server, part, left)) users.set(userId, keys);
    }
  });
  return { users, failures };
}

type Wanted = { devices: readonly string[]; isShared: boolean };

async function lookUp({ lists, isShared }: QueryOptions, userId: string) {
  if (!(await isShared(userId))) return { isShared: false };
  return { isShared: true, keys: await lists.known(userId) };
}

async function ask(
  { client, lists, ed25519 }: QueryOptions,
  server: string,
  wanted: ReadonlyMap<string, Wanted>,
  timeoutMs: number,
): Promise<Found> {
  const asking = new Map([...wanted.keys()].map((userId) => [userId, lists.asking(userId)]));
  try {
    // Of whom the answer is kept, it has to be whole.
    const names = [...wanted].map(([userId, { devices, isShared }]) => [
      userId,
      isShared ? [] : [...devices],
    ]);
    const { json } = await client.request({
      ...{ method: "POST", destination: server, timeoutMs, maxBytes: MAX_BYTES },
      uri: "/_matrix/federation/v1/user/keys/query",
      content: { device_keys: Object.fromEntries(names) as JsonObject },
    });
    if (!isJsonObject(json)) throw new FederationError("invalid", server, "Its answer is no object.");
    const found: Found = new Map();
    // Together, so that what is kept of them goes to the disk together.
    await Promise.all(
      [...wanted].map(async ([userId, { devices, isShared }]) => {
        const keys = await readQueried(userId, json, ed25519);
        if (keys === undefined) return;
        found.set(userId, shown(keys, devices));
        if (isShared) await lists.keep(userId, keys, asking.get(userId)!.asked);
      }),
    );
    return found;
  } finally {
    for (const { end } of asking.values()) end();
  }
}

/** @param wanted - none: all */
function shown({ devices, master, selfSigning }: ReadKeys, wanted: readonly string[]): RemoteUserKeys {
  const asked = new Set(wanted);
  return {
    devices: [...devices]
      .filter(([deviceId]) => asked.size === 0 || asked.has(deviceId))
      .map(([deviceId, [json, displayName]]) => ({ deviceId, displayName, keys: JSON.parse(json) })),
    ...(master !== undefined && { master: JSON.parse(master) }),
    ...(selfSigning !== undefined && { selfSigning: JSON.parse(selfSigning) }),
  };
}
