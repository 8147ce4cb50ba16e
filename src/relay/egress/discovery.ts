import { isIpAddress } from "../../matrix/ip-addresses.ts";
import type { ServerName } from "../../matrix/server-names.ts";
import { EgressFailure } from "./failure.ts";
import type { WellKnown } from "./well-known.ts";

/** Where a server may be asked: what is looked up and connected to, and what the server is called there. */
export type Route = { host: string; port: number; authority: string; certificateFor: string };

export type SrvRecord = { priority: number; weight: number; port: number; target: string };
/** The records of a name such as `_matrix-fed._tcp.example.org`; none where there are none. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

export type Discovery = (serverName: ServerName) => Promise<Route[]>;

const usualPort = 8448;
/** As many places of one server are tried. */
const maxRoutes = 4;

/**
 * Finds out where a server name leads, best place first.
 * @param random - 0 to below 1: spreads the load over SRV records of one priority
 * @throws {EgressFailure} unreachable
 * @see https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names
 */
export function openDiscovery(parts: {
  wellKnown: WellKnown;
  srv: ResolveSrv;
  random: () => number;
}): Discovery {
  return async (serverName) => {
    const named = split(serverName);
    const direct = withoutLookup(named); // steps 1 and 2
    if (direct !== undefined) return [direct];
    const delegated = await parts.wellKnown(named.hostname); // step 3
    if (delegated === undefined) return bySrv(named.hostname); // steps 4 to 6
    const other = split(delegated);
    const there = withoutLookup(other); // steps 3.1 and 3.2
    return there === undefined ? bySrv(other.hostname) : [there]; // steps 3.3 to 3.5
  };

  async function bySrv(hostname: string): Promise<Route[]> {
    // The second one is deprecated, and still what many servers have.
    for (const service of ["_matrix-fed", "_matrix"]) {
      const records = await parts.srv(`${service}._tcp.${hostname}`);
      if (records.length > 0) return srvRoutes(hostname, inOrder(records, parts.random));
    }
    return [{ host: hostname, port: usualPort, authority: hostname, certificateFor: hostname }];
  }
}

type Named = { text: string; hostname: string; port: number | undefined };

function split(name: ServerName): Named {
  const match = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(name);
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port === 0 || port > 65_535)) {
    throw new EgressFailure("unreachable", "The server's name has a port that does not exist.");
  }
  return { text: name, hostname: match?.[1] ?? match?.[2] ?? "", port };
}

function withoutLookup({ text, hostname, port }: Named): Route | undefined {
  if (port === undefined && !isIpAddress(hostname)) return undefined;
  return { host: hostname, port: port ?? usualPort, authority: text, certificateFor: hostname };
}

function srvRoutes(hostname: string, records: readonly SrvRecord[]): Route[] {
  const targets = records.map((record) => ({ ...record, target: record.target.replace(/\.$/, "") }));
  // RFC 2782: a root target says that the service is not there.
  const routes = targets
    .filter(({ target, port }) => target !== "" && port > 0)
    .map(({ target, port }) => ({ host: target, port, authority: hostname, certificateFor: hostname }));
  if (routes.length === 0)
    throw new EgressFailure("unreachable", "The domain says that it has no homeserver.");
  return routes.slice(0, maxRoutes);
}

/** RFC 2782: lowest priority first; within one, at random, those with more weight more often first. */
export function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const drawn = records.map((record) => ({
    record,
    key: (1 - random()) ** (1 / Math.max(record.weight, 1e-3)),
  }));
  return drawn
    .sort((a, b) => a.record.priority - b.record.priority || b.key - a.key)
    .map(({ record }) => record);
}
