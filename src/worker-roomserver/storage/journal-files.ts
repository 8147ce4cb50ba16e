import { encodeUtf8 } from "../../matrix/utf8.ts";
import { LeaderFenced } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { decodeRecords, encodeRecord, type JournalRecord } from "./journal-record.ts";
import type { Changes } from "./operations.ts";
import type { JournalKey, JournalState } from "./schema.ts";
import { leadersTransaction } from "./write-transaction.ts";

/** Milliseconds after which another try is made to get a file that the leader before still holds. */
const TRY_AGAIN_MS = 20;
/** Bytes that a file keeps for its next use; what one large write made it grow by is given back. */
const KEPT_BYTES = 1_000_000;
/** Bytes at the beginning of a file that say which database it belongs to. */
const HEADER = 36;

/**
 * A file of the origin's own, open for this leader alone: whoever else would open it has to wait until this one is
 * gone. So no leader writes to a journal that another has taken over.
 */
class JournalFile {
  readonly #handle: FileSystemSyncAccessHandle;
  #end = HEADER;

  constructor(handle: FileSystemSyncAccessHandle) {
    this.#handle = handle;
  }

  /** Its records that are not in their stores yet, if it belongs to this database. */
  read({ id, applied }: JournalState): JournalRecord[] {
    if (!this.#belongsTo(id)) return [];
    const bytes = new Uint8Array(this.#handle.getSize() - HEADER);
    this.#handle.read(bytes, { at: HEADER });
    return [...decodeRecords(bytes, applied)];
  }

  /** The next record goes to the beginning: what stands after it does not follow it, and so is not read. */
  rewind(id: string): void {
    this.#end = HEADER;
    if (this.#handle.getSize() > KEPT_BYTES) this.#handle.truncate(KEPT_BYTES);
    if (this.#belongsTo(id)) return;
    this.#handle.truncate(0);
    this.#handle.write(encodeUtf8(id), { at: 0 });
    this.#handle.flush();
  }

  #belongsTo(id: string): boolean {
    const header = new Uint8Array(HEADER);
    const length = this.#handle.read(header, { at: 0 });
    return length === HEADER && encodeUtf8(id).every((byte, i) => header[i] === byte);
  }

  append(record: Uint8Array<ArrayBuffer>, durability: "strict" | "relaxed"): void {
    const end = this.#end + record.length;
    try {
      const written = this.#handle.write(record, { at: this.#end });
      if (written < record.length) throw new DOMException("the disk is full", "QuotaExceededError");
      if (durability === "strict") this.#handle.flush();
    } catch (error) {
      // Whether or not it got there: who is told that it failed must not find it later.
      this.#handle.truncate(this.#end);
      throw error;
    }
    this.#end = end;
  }

  flush(): void {
    this.#handle.flush();
  }

  close(): void {
    this.#handle.close();
  }
}

/** The two files of a journal, not yet in use. */
export class JournalFiles {
  readonly #files: readonly [JournalFile, JournalFile];

  private constructor(files: readonly [JournalFile, JournalFile]) {
    this.#files = files;
  }

  /**
   * Opens them as soon as no other leader has them open.
   * @returns undefined where there are no such files: some browsers have none in private windows, others only in some
   *   kinds of threads
   */
  static async open(dbName: string): Promise<JournalFiles | undefined> {
    const isThere =
      typeof FileSystemFileHandle !== "undefined" &&
      "createSyncAccessHandle" in FileSystemFileHandle.prototype;
    if (!isThere) return undefined;
    const opened: JournalFile[] = [];
    try {
      const folder = await navigator.storage.getDirectory();
      const open = async (number: number) => {
        const name = `${encodeURIComponent(dbName)}.journal-${number}`;
        const file = await folder.getFileHandle(name, { create: true });
        const journalFile = new JournalFile(await whenFree(() => file.createSyncAccessHandle()));
        opened.push(journalFile);
        return journalFile;
      };
      return new JournalFiles([await open(0), await open(1)]);
    } catch (error) {
      for (const file of opened) file.close(); // the next leader waits for both
      console.warn("hearth: no files for the journal, so it is kept in the database", error);
      return undefined;
    }
  }

  /** The records that follow the last one that is in its stores. */
  read(state: JournalState): JournalRecord[] {
    if (state.id === "") return [];
    const records = this.#files.flatMap((file) => file.read(state)).sort((one, other) => one.key - other.key);
    const gap = records.findIndex(({ key }, i) => key !== state.applied + 1 + i);
    if (gap === -1) return records;
    console.error(`hearth: the journal is damaged after its record ${state.applied + gap}`);
    return records.slice(0, gap);
  }

  /** @param last - the last key that is in use */
  begin(db: IDBDatabase, lead: { epoch: number; id: string; last: JournalKey }): Journal {
    for (const file of this.#files) file.rewind(lead.id);
    return new FileJournal(db, this.#files, lead);
  }
}

/**
 * The journal as two files, which takes a fraction of a transaction's time. While a checkpoint goes over the records
 * of one, the others go to the other; when it is through, the first is free to be written over.
 */
class FileJournal implements Journal {
  readonly #db: IDBDatabase;
  readonly #epoch: number;
  readonly #id: string;
  #current: JournalFile;
  #other: JournalFile;
  /** The last record in the other file, as long as it is not all in its stores. */
  #pending: JournalKey | undefined;
  #last: JournalKey;
  #closed = false;
  /** A message to oneself comes after those that are there already, and what they ask for goes into the same record. */
  readonly #turn = new MessageChannel();
  #soon: (() => void) | undefined;

  constructor(
    db: IDBDatabase,
    [first, second]: readonly [JournalFile, JournalFile],
    lead: { epoch: number; id: string; last: JournalKey },
  ) {
    this.#db = db;
    this.#epoch = lead.epoch;
    this.#id = lead.id;
    this.#current = first;
    this.#other = second;
    this.#last = lead.last;
    this.#turn.port2.onmessage = () => this.#soon?.();
  }

  async add(changes: Changes, durability: "strict" | "relaxed"): Promise<JournalKey> {
    if (this.#closed) throw new LeaderFenced();
    this.#current.append(encodeRecord(this.#last + 1, changes), durability);
    this.#last += 1;
    return this.#last;
  }

  soon(write: () => void): void {
    this.#soon = write;
    this.#turn.port1.postMessage(undefined);
  }

  turn(): void {
    if (this.#pending !== undefined || this.#closed) return; // the last checkpoint did not get through
    // What was written relaxed must not be missing before records that are flushed to the other file.
    this.#current.flush();
    this.#other.rewind(this.#id);
    [this.#current, this.#other] = [this.#other, this.#current];
    this.#pending = this.#last;
  }

  async clear(key: JournalKey): Promise<void> {
    if (this.#pending === undefined || key < this.#pending) return;
    // Up to where this checkpoint went: a row of the log holds what one checkpoint took, and must be made again whole.
    await this.#noteApplied(key);
    this.#pending = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#turn.port1.close();
    this.#current.close();
    this.#other.close();
  }

  /** Strictly, as what came before it must be on the disk before its records are written over. */
  #noteApplied(applied: JournalKey): Promise<void> {
    return leadersTransaction(this.#db, this.#epoch, [], "strict", (tx) => {
      tx.objectStore("meta").put({ id: this.#id, applied } satisfies JournalState, "journal");
    });
  }
}

/** The leader before may take a moment to go; it held the lock that this one has, so it is going. */
async function whenFree<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NoModificationAllowedError") throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }
}
