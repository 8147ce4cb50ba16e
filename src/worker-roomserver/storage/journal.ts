import type { Changes } from "./operations.ts";
import type { JournalKey } from "./schema.ts";

/**
 * What has been acknowledged, and may not be in its stores yet. One record takes all that is committed together,
 * which makes a commit one write however much is in it; the rows are put into their stores later, many at a time
 * (checkpoint.ts). A new leader first does what it finds here (lead.ts).
 *
 * Records have consecutive keys. There are two journals: files, where the browser has them (journal-files.ts), and a
 * store of the database (journal-store.ts).
 */
export interface Journal {
  /** Calls back in a moment: as late as those who come together need to share a record, and no later. */
  soon(write: () => void): void;
  /**
   * Resolves when the changes are on the disk, as one record.
   * @throws LeaderFenced, or what the disk says; nothing has been written then
   */
  add(changes: Changes, durability: "strict" | "relaxed"): Promise<JournalKey>;
  /** A checkpoint begins, for all records up to now. */
  turn(): void;
  /** The changes up to this record are in their stores. */
  clear(key: JournalKey): Promise<void>;
  close(): void;
}
