import type { Storage } from "../../storage/api.ts";

const PAGE = 500;

/**
 * Removes rows of `awaited` whose waiting event is not here any more. One unit for each five hundred rows that has such
 * ones, and a key looked up for each row: they are as many as events wait for others.
 */
export async function* dropOrphanedWaits(storage: Storage): AsyncGenerator<void> {
  let range: IDBKeyRange | undefined;
  for (;;) {
    const keys = await storage.getAllKeys("awaited", range, PAGE);
    const there = await Promise.all(
      keys.map(([, , nid]) => storage.getAllKeys("events", IDBKeyRange.only(nid), 1)),
    );
    const orphaned = keys.filter((_, i) => there[i]!.length === 0);
    if (orphaned.length > 0) {
      await storage.commit(
        (write) => {
          for (const key of orphaned) write.delete("awaited", key);
        },
        { relaxed: true },
      );
    }
    yield;
    const last = keys.at(-1);
    if (last === undefined || keys.length < PAGE) return;
    range = IDBKeyRange.lowerBound(last, true);
  }
}
