import { LeaderFenced } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { type Changes, changesToRow } from "./operations.ts";
import type { JournalKey } from "./schema.ts";
import { writeTransaction } from "./write-transaction.ts";

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

  async add(changes: Changes, durability: "strict" | "relaxed"): Promise<JournalKey> {
    const key = this.#last + 1;
    try {
      await writeTransaction(this.#db, ["journal"], durability, (tx) => {
        tx.objectStore("journal").add(changesToRow(changes), key);
        tx.commit(); // there is nothing to wait for
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "ConstraintError") throw new LeaderFenced();
      throw error;
    }
    this.#last = key;
    return key;
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
    await writeTransaction(this.#db, ["journal"], "relaxed", (tx) => {
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
