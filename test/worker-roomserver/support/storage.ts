import { openDB } from "idb";
import { onTestFinished } from "vitest";
import type { PositionedEntry } from "../../../src/worker-roomserver/log/entry.ts";
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

/** What the log has after a position, of a log that reaches back that far. */
export async function logAfter(storage: Storage, position = 0): Promise<PositionedEntry[]> {
  const entries = await storage.entriesAfter(position, 100_000);
  if (entries === undefined) throw new Error(`the log does not reach back to ${position}`);
  return entries;
}

/** Everything in a database, to compare; but the journal, which holds what all the others do. */
export async function dump(storage: TestStorage): Promise<Dump> {
  await storage.flushed();
  return dumpDatabase(storage.name);
}

/** The same of a database by its name. */
export async function dumpDatabase(name: string): Promise<Dump> {
  // A connection of its own, of whatever version there is, that sees the stores as they are.
  const db = await openDB(name);
  const stores: Dump = {};
  for (const store of db.objectStoreNames) {
    if (store === "journal") continue;
    const tx = db.transaction(store, "readonly");
    const [keys, rows] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
    stores[store] = keys.map((key, i) => [key, rows[i]]);
  }
  db.close();
  return stores;
}

export type Dump = Record<string, [key: unknown, row: unknown][]>;
