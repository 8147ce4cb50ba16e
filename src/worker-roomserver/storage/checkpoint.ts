import type { Journal } from "./journal.ts";
import { applyChanges, type Changes, storesOf } from "./operations.ts";
import type { JournalKey, StoreName } from "./schema.ts";
import { leadersTransaction } from "./write-transaction.ts";

/** Rows in one transaction: commits come in between, and should not wait long. */
const CHUNK = 64;

/**
 * Puts what is durable in the journal into its stores, and clears the journal. Until then the stores are behind: who
 * reads one that is has to wait for `reach`.
 */
export class Checkpoint {
  readonly #db: IDBDatabase;
  readonly #journal: Journal;
  readonly #epoch: number;
  #pending: Changes = { operations: [], entries: [] };
  /** The last record of the journal that is among what is pending, or was before. */
  #key: JournalKey = 0;
  #behind = new Set<StoreName>();
  #running: Promise<void> | undefined;

  constructor(db: IDBDatabase, lead: { epoch: number; journal: Journal }) {
    this.#db = db;
    this.#journal = lead.journal;
    this.#epoch = lead.epoch;
  }

  /** Rows that are pending. */
  get size(): number {
    return this.#pending.operations.length + this.#pending.entries.length;
  }

  /** Adds what has just become durable under `key`; undefined: what is not in the journal, and can be made again. */
  add({ operations, entries }: Changes, key?: JournalKey): void {
    for (const operation of operations) {
      this.#pending.operations.push(operation);
      this.#behind.add(operation.store);
    }
    for (const entry of entries) this.#pending.entries.push(entry);
    if (entries.length > 0) this.#behind.add("log");
    this.#key = key ?? this.#key;
  }

  isBehind(stores: Iterable<StoreName>): boolean {
    for (const store of stores) if (this.#behind.has(store)) return true;
    return false;
  }

  /**
   * Resolves when all that is pending now is in its stores.
   * @throws LeaderFenced, or what the disk says: what could not be put there stays pending
   */
  async reach(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.size === 0) return;
    this.#running = this.#run();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #run(): Promise<void> {
    let { operations, entries } = this.#pending;
    const key = this.#key;
    this.#journal.turn();
    const behind = this.#behind;
    this.#pending = { operations: [], entries: [] };
    this.#behind = new Set(behind);
    try {
      while (operations.length > 0) {
        await this.#apply({ operations: operations.slice(0, CHUNK), entries: [] });
        operations = operations.slice(CHUNK);
      }
      await this.#apply({ operations, entries });
      entries = []; // a row of the log holds what came together: they must not be in the next one as well
      await this.#journal.clear(key);
    } catch (error) {
      this.#pending = {
        operations: [...operations, ...this.#pending.operations],
        entries: [...entries, ...this.#pending.entries],
      };
      throw error;
    }
    this.#behind = storesOf(this.#pending);
  }

  async #apply(changes: Changes): Promise<void> {
    const stores = storesOf(changes);
    if (stores.size === 0) return;
    // Losing it in a power cut does no harm: the journal is cleared after it.
    await leadersTransaction(this.#db, this.#epoch, stores, "relaxed", (tx) => applyChanges(tx, changes));
  }
}
