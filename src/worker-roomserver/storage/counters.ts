import type { IDBPDatabase } from "idb";
import type { Counters, HearthSchema } from "./schema.ts";

/** The last numbers given out, as the disk has them: one key read of each store. */
export async function readCounters(db: IDBPDatabase<HearthSchema>): Promise<Counters> {
  const stores = ["log", "nameTexts", "events", "snapshots"] as const;
  const tx = db.transaction(stores, "readonly");
  const [position, nameNid, eventNid, snapshotNid] = await Promise.all(
    stores.map(async (store) => (await tx.objectStore(store).openKeyCursor(null, "prev"))?.key ?? 0),
  );
  return { position: position!, nameNid: nameNid!, eventNid: eventNid!, snapshotNid: snapshotNid! };
}
