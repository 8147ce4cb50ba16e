import { type IpRange, isInRanges, isIpAddress } from "../../matrix/ip-addresses.ts";
import type { Caller } from "./api.ts";

const maxHops = 16;

/**
 * Who sends a request. A header counts only when the one who has sent it is a proxy of ours: read from its end, as
 * everything before the last proxy of ours may have been made up.
 */
export function callerOf(
  headers: Headers,
  peer: { address: string; secure: boolean },
  proxies: readonly IpRange[],
): Caller {
  const requestId = crypto.randomUUID().slice(0, 8);
  if (!isInRanges(peer.address, proxies)) return { ...peer, requestId };
  const hops = (headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((hop) => hop.trim())
    .slice(-maxHops);
  const stranger = hops.findLast((hop) => !isInRanges(hop, proxies));
  const client = stranger !== undefined && isIpAddress(stranger) ? stranger : peer.address;
  const proto = headers.get("x-forwarded-proto");
  return { address: client, secure: peer.secure || proto === "https", requestId };
}
