import type { Storage } from "../storage/api.ts";

/**
 * How long it is remembered which messages of other servers have come: longer than any of them takes to send one once
 * more whose answer it did not get.
 */
const REMEMBERED_MS = 7 * 24 * 60 * 60_000;
/** Rows that go in one unit. */
const AT_ONCE = 1_000;

/** Forgets which messages came long ago. */
export async function* dropOldReceived(storage: Storage, now: () => number): AsyncGenerator<void> {
  const old = IDBKeyRange.upperBound(now() - REMEMBERED_MS, true);
  for (;;) {
    const keys = await storage.keysFromIndex("toDeviceReceived", "at", old, AT_ONCE);
    if (keys.length === 0) return;
    await storage.commit(
      (write) => {
        for (const key of keys) write.delete("toDeviceReceived", key);
      },
      { relaxed: true },
    );
    yield;
  }
}
