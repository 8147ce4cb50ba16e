import { LeaderFenced } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { type Changes, changesToRow } from "./operations.ts";
import type { JournalKey } from "./schema.ts";

/** The journal as a store of the database: one transaction with one row for each record. */
export class StoreJournal implements Journal {
  readonly #db: IDBDatabase;
  #last: JournalKey;
  /** Everything up to here has been put into its stores. */
  #cleared: JournalKey;

  /** @param marker - the key under which this leader's marker stands */
  constructor(db: IDBDatabase, marker: JournalKey) {
    this.#db = db;
    this.#last = marker;
    this.#cleared = marker;
  }

  add(changes: Changes, durability: "strict" | "relaxed"): Promise<JournalKey> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction("journal", "readwrite", { durability });
      const key = this.#last + 1;
      let cause: Error | undefined;
      tx.oncomplete = () => {
        this.#last = key;
        resolve(key);
      };
      tx.onabort = () => reject(cause ?? tx.error ?? new Error("the transaction was aborted"));
      try {
        const added = tx.objectStore("journal").add(changesToRow(changes), key);
        added.onerror = () => {
          if (added.error?.name === "ConstraintError") cause = new LeaderFenced();
        };
        tx.commit(); // there is nothing to wait for
      } catch (error) {
        // A value that cannot be cloned: a defect, and no reason to write anything.
        cause = error as Error;
        tx.abort();
      }
    });
  }

  soon(write: () => void): void {
    // Others gather while a transaction is under way.
    queueMicrotask(write);
  }

  turn(): void {
    // Records can be removed one by one.
  }

  async clear(key: JournalKey): Promise<void> {
    if (key <= this.#cleared) return;
    await new Promise<void>((resolve, reject) => {
      const tx = this.#db.transaction("journal", "readwrite", { durability: "relaxed" });
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new Error("the transaction was aborted"));
      // A later leader's marker is past all records of this one.
      tx.objectStore("journal").delete(IDBKeyRange.bound(this.#cleared, key, true, false));
      tx.commit();
    });
    this.#cleared = key;
  }

  close(): void {
    // It goes with the database.
  }
}
