import { notFound } from "../../../matrix/errors.ts";
import { parseServerName } from "../../../matrix/server-names.ts";
import type { Storage } from "../../storage/api.ts";
import type { DestinationForOwner, Destinations, FederationForOwner } from "../api.ts";
import type { Line } from "./line.ts";
import { countMessages } from "./messages-waiting.ts";
import type { RelaysOfServers } from "./relays-of-servers.ts";

export type ForOwnerOptions = {
  storage: Storage;
  destinations: Destinations;
  relays: RelaysOfServers;
  /** Those that there was something to send to in this life. */
  lines: ReadonlyMap<string, Line>;
};

/** What the owner sees and does. */
export function forOwner(options: ForOwnerOptions): FederationForOwner {
  const { destinations, lines, relays } = options;
  const known = async () => {
    const names = (await destinations.all()).map(({ serverName }) => serverName);
    return new Set([...names, ...lines.keys(), ...(await relays.knownByOwner())]);
  };
  return {
    destinations: async () => {
      const names = [...(await known())].sort();
      return Promise.all(names.map(async (name) => shown(options, await destinations.state(name))));
    },
    retryNow: async (serverName) => {
      if (!(await known()).has(serverName)) throw notFound("Nothing was ever sent to this server.");
      destinations.retryNow(serverName);
      lines.get(serverName)?.retryNow();
    },
    setRelays: async (serverName, urls) => {
      await relays.setByOwner(parseServerName(serverName), urls);
      lines.get(serverName)?.wake();
    },
  };
}

async function shown(
  { storage, relays, lines }: ForOwnerOptions,
  state: Awaited<ReturnType<Destinations["state"]>>,
): Promise<DestinationForOwner> {
  const { serverName } = state;
  const line = lines.get(serverName);
  const waiting = await line?.waiting();
  const { pdus, edus } = waiting?.count ?? { pdus: 0, edus: 0 };
  return {
    ...state,
    retryAt: Math.max(state.retryAt, line?.putOffUntil ?? 0),
    lastError: state.lastError || (line?.lastRefusal ?? ""),
    waiting: {
      pdus,
      edus: edus + (line?.ephemeralCount ?? 0) + (await countMessages(storage, serverName)),
    },
    catchingUp: waiting?.isCatchingUp ?? false,
    relays: await relays.of(serverName),
  };
}
