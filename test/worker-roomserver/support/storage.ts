import { onTestFinished } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { openStorage } from "../../../src/worker-roomserver/storage/storage.ts";

export type TestStorage = Storage & {
  readonly name: string;
  /** Why this storage has said that it stopped, if it has. */
  readonly stopped: string[];
};

/** A database of its own, or, by name, one that is there already; removed when the test has finished. */
export async function testStorage(name = `test-${crypto.randomUUID()}`): Promise<TestStorage> {
  const stopped: string[] = [];
  const storage = await openStorage({ name, onStopped: (why) => stopped.push(why) });
  onTestFinished(async () => {
    await storage.flushed();
    storage.close();
    await deleteDatabase(name);
  });
  return Object.assign(storage, { name, stopped });
}

/** Everything in a database, to compare. */
export async function dump(storage: Storage): Promise<Record<string, [unknown, unknown][]>> {
  await storage.flushed();
  const stores: Record<string, [unknown, unknown][]> = {};
  for (const store of storage.db.objectStoreNames) {
    const tx = storage.db.transaction(store, "readonly");
    const [keys, rows] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
    stores[store] = keys.map((key, i) => [key, rows[i]]);
  }
  return stores;
}
