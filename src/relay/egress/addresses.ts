import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { type IpRange, isInRanges } from "../../matrix/ip-addresses.ts";
import { isPublicAddress } from "../../matrix/public-hosts.ts";
import { openCache } from "./cache.ts";
import { EgressFailure } from "./failure.ts";

/** All addresses of a host. @throws where it has none */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/**
 * The system's own resolution, with what its hosts file says. It gives no TTL, so that answers are kept for a minute
 * at most, which is less than what nearly all names say; that there is none is asked again after ten seconds.
 */
export function openSystemResolver(now: () => number): Resolve {
  const cache = openCache<readonly LookupAddress[]>(10_000, now);
  return (host) =>
    cache.get(host, async () => {
      const found = await lookup(host, { all: true }).catch(() => []);
      return { value: found, keep: found.length > 0 ? 60_000 : 10_000 };
    });
}

/** Whether a connection to this address may be made at all. */
export type Guard = (address: string) => boolean;

/** @param opened - private ranges that the operator allows */
export const addressGuard =
  (opened: readonly IpRange[]): Guard =>
  (address) =>
    isPublicAddress(address) || isInRanges(address, opened);

/**
 * The addresses of a host that may be connected to. Called for each connection, and the connection goes to what comes
 * out here and nowhere else: a name that changes what it resolves to gains nothing.
 * @throws {EgressFailure} refused where it has addresses, but none that may be; unreachable where it has none
 */
export async function allowedAddresses(
  host: string,
  resolve: Resolve,
  guard: Guard,
): Promise<LookupAddress[]> {
  const found = await resolve(host).catch(() => []);
  if (found.length === 0) throw new EgressFailure("unreachable", "The host has no address.");
  const allowed = found.filter(({ address }) => guard(address));
  if (allowed.length === 0) {
    throw new EgressFailure("refused", "The host is not on the public internet, and is not asked.");
  }
  return allowed;
}
