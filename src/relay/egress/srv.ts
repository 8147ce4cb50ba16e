import { openCache } from "./cache.ts";
import type { ResolveSrv, SrvRecord } from "./discovery.ts";

const maxTime = 5_000;

/** SRV records by DNS. Kept for five minutes; a DNS server that does not answer is asked again after one. */
export function openSrvResolver(now: () => number): ResolveSrv {
  const cache = openCache<readonly SrvRecord[]>(10_000, now);
  return (name) =>
    cache.get(name, async () => {
      try {
        const value = await Deno.resolveDns(name, "SRV", { signal: AbortSignal.timeout(maxTime) });
        return { value, keep: 300_000 };
      } catch (error) {
        return { value: [], keep: error instanceof Deno.errors.NotFound ? 300_000 : 60_000 };
      }
    });
}
