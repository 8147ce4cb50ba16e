import type { Storage } from "../storage/api.ts";

/**
 * Entries that are kept though nobody needs them: some megabytes. A sync over more of them asks each room instead,
 * unless the user is in some thousand rooms.
 */
const KEPT_ENTRIES = 100_000;

/**
 * Removes what no durable reader needs of the log any more, the oldest first: yields after each unit, which is one
 * range of some hundred rows. Reads the readers' offsets and the keys of what it removes.
 */
export async function* trimLog(storage: Storage, kept = KEPT_ENTRIES): AsyncGenerator<void> {
  for (;;) {
    const offsets = await storage.getAll("readers");
    const isMore = await storage.trimLog(Math.min(storage.position - kept, ...offsets));
    yield;
    if (!isMore) return;
  }
}
