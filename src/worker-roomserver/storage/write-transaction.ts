import { LeaderFenced } from "./errors.ts";
import type { LeadRow, StoreName } from "./schema.ts";

type Durability = "strict" | "relaxed";

/**
 * Resolves when all that `fill` asks for is on the disk. Plain IndexedDB: a wrapper's promise for each of many puts
 * costs more than the put.
 * @throws what `fill` throws, or what the disk says; nothing has been written then
 */
export function writeTransaction(
  db: IDBDatabase,
  stores: Iterable<StoreName>,
  durability: Durability,
  fill: (tx: IDBTransaction, abort: (why: Error) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const tx = db.transaction([...stores], "readwrite", { durability });
    let cause: Error | undefined;
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(cause ?? tx.error ?? new Error("the transaction was aborted"));
    const abort = (why: Error) => {
      cause = why;
      tx.abort();
    };
    try {
      fill(tx, abort);
    } catch (error) {
      // A value that cannot be cloned, or a bad key: a defect, and no reason to write half of it.
      abort(error as Error);
    }
  });
}

/** The same for the leader of this epoch alone. @throws LeaderFenced */
export function leadersTransaction(
  db: IDBDatabase,
  epoch: number,
  stores: Iterable<StoreName>,
  durability: Durability,
  fill: (tx: IDBTransaction) => void,
): Promise<void> {
  return writeTransaction(db, new Set<StoreName>([...stores, "meta"]), durability, (tx, abort) => {
    const lead = tx.objectStore("meta").get("lead");
    // The writes need not wait for it: if another leader is there, all of them are undone.
    lead.onsuccess = () => {
      if ((lead.result as LeadRow).epoch !== epoch) abort(new LeaderFenced());
    };
    fill(tx);
  });
}
