import type { ServerKeys } from "../../matrix/server-keys.ts";
import { keyFromServerName } from "../../matrix/server-names.ts";
import type { RequestSignature } from "../../matrix/x-matrix.ts";
import type { KeyRing, Names } from "./api.ts";
import type { PublishedKeys } from "./published-keys.ts";

type Cached = { keys: ServerKeys["keys"]; until: number; fetchedAt: number };

/** Servers whose keys (or that they have none) are remembered; what was fetched longest ago goes first. */
const MAX_CACHED = 10_000;
/** Servers that are asked at one time: strangers choose whom. */
const MAX_FETCHES = 64;
const minute = 60_000;
/** How long nobody asks again for what could not be had, or for a key that a server did not have. */
const RETRY = minute;
/** The most that a document is believed for. @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
const MAX_VALIDITY = 7 * 24 * 60 * minute;

export type KeyRingOptions = { names: Names; published: PublishedKeys; now: () => number };

export function openKeyRing({ names, published, now }: KeyRingOptions): KeyRing {
  const cache = new Map<string, Cached>();
  const fetches = new Map<string, Promise<void>>();

  const load = async (origin: string) => {
    const fetchedAt = now();
    const found = await published.fetch(origin);
    cache.delete(origin);
    cache.set(origin, {
      keys: found?.keys ?? new Map(),
      until: Math.min(found?.validUntil ?? 0, fetchedAt + MAX_VALIDITY),
      fetchedAt,
    });
    if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value ?? origin);
  };

  /** Asks the server, one question at a time. Undefined where enough is being asked. */
  const fetchOnce = (origin: string): Promise<void> | undefined => {
    const running = fetches.get(origin);
    if (running !== undefined || fetches.size >= MAX_FETCHES) return running;
    const fetching = load(origin).finally(() => fetches.delete(origin));
    fetches.set(origin, fetching);
    return fetching;
  };

  const cached = (origin: string, signatures: readonly RequestSignature[]) => {
    const known = cache.get(origin);
    if (known === undefined || known.until <= now()) return undefined;
    return pick(signatures, (keyId) => known.keys.get(keyId));
  };

  return {
    find: async (origin, signatures, within) => {
      const own = keyFromServerName(origin) ?? (await names.keyOf(origin));
      if (own !== undefined) return pick(signatures, () => own);
      const found = cached(origin, signatures);
      if (found !== undefined) return found;
      const known = cache.get(origin);
      if (known !== undefined && now() - known.fetchedAt < RETRY) return undefined;
      await atMost(fetchOnce(origin), within);
      return cached(origin, signatures);
    },
  };
}

function pick(
  signatures: readonly RequestSignature[],
  keyOf: (keyId: string) => Uint8Array | undefined,
): { signature: RequestSignature; publicKey: Uint8Array } | undefined {
  for (const signature of signatures) {
    const publicKey = keyOf(signature.keyId);
    if (publicKey !== undefined) return { signature, publicKey };
  }
  return undefined;
}

/** Waits for `work`, but no longer than that. */
async function atMost(work: Promise<void> | undefined, milliseconds: number): Promise<void> {
  if (work === undefined) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
