import type { Storage } from "../storage/api.ts";
import type { TokenRow } from "../storage/schema.ts";

/** Rows looked at together. */
const PAGE = 500;

/** All tokens with their keys, some at a time. */
async function* pagesOfTokens(storage: Storage): AsyncGenerator<[hash: string, row: TokenRow][]> {
  let range: IDBKeyRange | undefined;
  for (;;) {
    const [hashes, rows] = await storage.read(["tokens"], (tx) => {
      const store = tx.objectStore("tokens");
      return Promise.all([store.getAllKeys(range, PAGE), store.getAll(range, PAGE)]);
    });
    yield hashes.map((hash, i) => [hash, rows[i]!]);
    const last = hashes.at(-1);
    if (last === undefined || hashes.length < PAGE) return;
    range = IDBKeyRange.lowerBound(last, true);
  }
}

/** See UsersForOAuth. */
export async function clientsInUse(storage: Storage): Promise<Set<string>> {
  const clients = new Set<string>();
  for await (const page of pagesOfTokens(storage)) {
    for (const [, { oauth }] of page) if (oauth !== undefined) clients.add(oauth.client);
  }
  return clients;
}

/**
 * See UsersForOAuth. Access tokens that have expired stay: their devices are logged in still, and a client learns
 * from one that it has only to be refreshed.
 */
export async function* dropOldTokens(storage: Storage, now: () => number): AsyncGenerator<void> {
  for await (const page of pagesOfTokens(storage)) {
    // Rows of these kinds never change, so what was read is still so.
    const isOld = ({ kind, expiresAt }: TokenRow) =>
      (kind === "login" || kind === "spent" || kind === "openid") && expiresAt !== null && expiresAt <= now();
    const old = page.filter(([, row]) => isOld(row));
    if (old.length > 0) {
      await storage.commit(
        (write) => {
          for (const [hash] of old) write.delete("tokens", hash);
        },
        { relaxed: true },
      );
    }
    yield;
  }
}
