import { type IDBPDatabase, unwrap } from "idb";
import { entriesToRow, type PositionedEntry, rowToEntries } from "../log/entry.ts";
import { LeaderFenced } from "./errors.ts";
import { applyChanges, type Changes } from "./operations.ts";
import type { HearthSchema, JournalKey, JournalRow, LeadRow, Position } from "./schema.ts";

/*
 * The journal: what has been acknowledged, and may not be in its stores yet. One record takes all that is committed
 * together, which makes a commit one write however much is in it; the rows are put into their stores soon after,
 * many at a time (checkpoint.ts). A new leader first does what it finds here.
 *
 * The journal is the fence too. A leader's records have consecutive keys and are added, never put. Whoever takes over
 * adds a marker under the key that comes next, so that the next record of the leader before it, however late it
 * comes, meets a key that is taken, and fails with all that is in it. Markers stay where they are.
 */

/** Leaders whose markers are kept. A leader that slept while so many others came has long been ended. */
const KEPT_MARKERS = 1_000;

export type Lead = { epoch: number; journal: Journal };

/** Takes the lead: puts what earlier leaders have left in the journal into its stores, and ends them. */
export async function takeLead(db: IDBPDatabase<HearthSchema>): Promise<Lead> {
  const tx = db.transaction([...db.objectStoreNames], "readwrite", { durability: "strict" });
  const [last, keys, rows] = await Promise.all([
    tx.objectStore("meta").get("lead") as Promise<LeadRow | undefined>,
    tx.objectStore("journal").getAllKeys(),
    tx.objectStore("journal").getAll(),
  ]);
  const epoch = (last?.epoch ?? 0) + 1;
  const marker = (keys.at(-1) ?? 0) + 1;
  const markers = keys.filter((_, i) => "epoch" in rows[i]!);
  for (const [i, row] of rows.entries()) {
    if ("epoch" in row) continue;
    applyChanges(unwrap(tx), changesOf(row));
    void tx.objectStore("journal").delete(keys[i]!);
  }
  for (const old of markers.slice(0, -KEPT_MARKERS)) void tx.objectStore("journal").delete(old);
  void tx.objectStore("journal").add({ epoch }, marker);
  void tx.objectStore("meta").put({ epoch } satisfies LeadRow, "lead");
  await tx.done;
  return { epoch, journal: new Journal(unwrap(db), marker) };
}

export class Journal {
  readonly #db: IDBDatabase;
  #last: JournalKey;
  /** Everything up to here has been put into its stores. */
  #cleared: JournalKey;

  constructor(db: IDBDatabase, marker: JournalKey) {
    this.#db = db;
    this.#last = marker;
    this.#cleared = marker;
  }

  /**
   * Resolves when the changes are on the disk, as one record.
   * @throws LeaderFenced, or what the disk says; nothing has been written then
   */
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
        const added = tx.objectStore("journal").add(rowOf(changes), key);
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

  /** Removes the records up to `key`: their changes are in their stores. */
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
}

function rowOf({ operations, entries }: Changes): JournalRow {
  return { operations, first: entries[0]?.position ?? 0, entries: entriesToRow(entries) };
}

function changesOf({ operations, first, entries }: Exclude<JournalRow, { epoch: number }>): Changes {
  return { operations, entries: decode(first, entries) };
}

function decode(first: Position, rows: Parameters<typeof rowToEntries>[1]): PositionedEntry[] {
  return rowToEntries(first + rows.length - 1, rows);
}
