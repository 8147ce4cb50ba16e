import type { IDBPDatabase } from "idb";
import type { Counters, HearthSchema, NumbersRow, Position } from "./schema.ts";

/** The position after which the log has every entry. The first row alone. */
export async function readLogStart(db: IDBPDatabase<HearthSchema>): Promise<Position> {
  const first = await db.transaction("log", "readonly").store.openCursor();
  return first === null ? 0 : first.key - first.value.length;
}

/** The last numbers given out, as the disk has them: one key read of each store. */
export async function readCounters(db: IDBPDatabase<HearthSchema>): Promise<Counters> {
  const stores = ["log", "nameTexts", "events", "snapshots"] as const;
  const tx = db.transaction([...stores, "meta"], "readonly");
  const [numbers, ...lastKeys] = await Promise.all([
    tx.objectStore("meta").get("numbers") as Promise<NumbersRow | undefined>,
    ...stores.map(async (store) => (await tx.objectStore(store).openKeyCursor(null, "prev"))?.key ?? 0),
  ]);
  const [position, nameNid, eventNid, snapshotNid] = lastKeys;
  return {
    position: position!,
    nameNid: nameNid!,
    eventNid: Math.max(eventNid!, numbers?.eventNid ?? 0),
    snapshotNid: Math.max(snapshotNid!, numbers?.snapshotNid ?? 0),
  };
}
