import { type IDBPDatabase, type IndexNames, unwrap } from "idb";
import { type PositionedEntry, rowToEntries } from "../log/entry.ts";
import { LogTail } from "../log/tail.ts";
import type { CommitOptions, Generation, Names, ReadTransaction, Storage, Write } from "./api.ts";
import { BatchReader } from "./batch-reader.ts";
import { Checkpoint } from "./checkpoint.ts";
import { Committer, type NewName } from "./committer.ts";
import { readCounters, readLogStart } from "./counters.ts";
import { LeaderFenced, storageError } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { JournalFiles } from "./journal-files.ts";
import { type Lead, takeLead } from "./lead.ts";
import { firstNames, StoredNames } from "./names.ts";
import { openDatabase } from "./open.ts";
import type {
  Counters,
  EventNid,
  HearthSchema,
  NumbersRow,
  Position,
  SnapshotNid,
  StoreName,
} from "./schema.ts";
import { leadersTransaction } from "./write-transaction.ts";

const TAIL_ENTRIES = 5_000;
/** Rows on their way to the stores that others can be expected to have in memory. */
const MOST_UNDER_WAY = 20_000;
/** Rows of the log that go at once: others write in between. */
const TRIMMED_ROWS = 200;

export type StorageOptions = {
  /** The database's name. */
  name: string;
  /** Called once when this storage can no longer be used: another leader, a newer version, or a lost database. */
  onStopped: (why: "fenced" | "superseded" | "lost") => void;
};

/** Opens the database as its leader: from here on, whoever opened it before can write nothing more. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  let storage: IndexedDbStorage | undefined;
  let stopped = false;
  const stop = (why: "fenced" | "superseded" | "lost") => {
    storage?.stopWriting();
    if (!stopped) options.onStopped(why);
    stopped = true;
  };
  const db = await openDatabase(options.name, {
    onSuperseded: () => stop("superseded"),
    onBlocked: () =>
      console.warn("hearth: waiting for a tab with an older version to let go of the database"),
    onLost: () => stop("lost"),
  });
  const lead = await takeLead(db, await JournalFiles.open(options.name));
  // Read once nobody else can move them any more.
  const [counters, logStart, names] = await Promise.all([readCounters(db), readLogStart(db), firstNames(db)]);
  storage = new IndexedDbStorage(db, { ...lead, counters, logStart, names }, () => stop("fenced"));
  return storage;
}

class IndexedDbStorage implements Storage {
  readonly #db: IDBPDatabase<HearthSchema>;
  readonly names: Names;
  readonly epoch: number;
  readonly #committer: Committer;
  readonly #journal: Journal;
  readonly #reader: BatchReader;
  readonly #tail: LogTail;
  #logStart: Position;
  readonly #entryListeners = new Set<(entries: readonly PositionedEntry[]) => void>();
  readonly #rollbackListeners = new Set<() => void>();

  constructor(
    db: IDBPDatabase<HearthSchema>,
    lead: Lead & { counters: Counters; logStart: Position; names: readonly NewName[] },
    onFenced: () => void,
  ) {
    this.#db = db;
    this.epoch = lead.epoch;
    this.#reader = new BatchReader(unwrap(db));
    this.#logStart = lead.logStart;
    this.#tail = new LogTail(lead.counters.position, TAIL_ENTRIES);
    const names = new StoredNames(this, (text) => this.#committer.newName(text), lead.names);
    this.names = names;
    const { journal, counters } = lead;
    this.#journal = journal;
    const checkpoint = new Checkpoint(unwrap(db), lead);
    this.#committer = new Committer(
      { journal, checkpoint, counters },
      {
        durable: (entries, written) => {
          names.written(written);
          this.#tail.push(entries);
          if (entries.length > 0) for (const listener of this.#entryListeners) listener(entries);
        },
        rollback: () => {
          for (const listener of this.#rollbackListeners) listener();
        },
        fenced: onFenced,
      },
    );
  }

  get generation(): Generation {
    return this.#committer.generation;
  }

  get position(): Position {
    return this.#committer.durablePosition;
  }

  get logStart(): Position {
    return this.#logStart;
  }

  get numbers(): NumbersRow {
    return this.#committer.numbers;
  }

  newEvent(): EventNid {
    return this.#committer.newEvent();
  }

  newSnapshot(): SnapshotNid {
    return this.#committer.newSnapshot();
  }

  commit<T>(fill: (write: Write) => T, options: CommitOptions = {}): Promise<T> {
    return this.#committer.commit(fill, options);
  }

  async putBlob(key: string, blob: Blob): Promise<void> {
    try {
      await leadersTransaction(unwrap(this.#db), this.epoch, ["blobs"], "strict", (tx) => {
        tx.objectStore("blobs").put(blob, key);
      });
    } catch (error) {
      throw error instanceof LeaderFenced ? error : storageError(error);
    }
  }

  settled(): Promise<void> {
    return this.#committer.settled();
  }

  hurried(): Promise<void> {
    return this.#committer.hurried();
  }

  flushed(): Promise<void> {
    return this.#committer.flushed();
  }

  get<S extends StoreName>(
    store: S,
    key: HearthSchema[S]["key"],
  ): Promise<HearthSchema[S]["value"] | undefined> {
    return this.#ask(store, (rows) => rows.get(key));
  }

  getAll<S extends StoreName>(
    store: S,
    range?: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]> {
    return this.#ask(store, (rows) => rows.getAll(range, count));
  }

  getAllKeys<S extends StoreName>(
    store: S,
    range?: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]> {
    return this.#ask(store, (rows) => rows.getAllKeys(range, count) as IDBRequest<HearthSchema[S]["key"][]>);
  }

  fromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]> {
    return this.#ask(store, (rows) => rows.index(index as string).getAll(range, count));
  }

  keysFromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]> {
    return this.#ask(
      store,
      (rows) => rows.index(index as string).getAllKeys(range, count) as IDBRequest<HearthSchema[S]["key"][]>,
    );
  }

  async storedKeys<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]> {
    if (this.#committer.rowsUnderWay > MOST_UNDER_WAY) await this.#committer.upToDate([store]);
    return this.#reader.request(
      store,
      (rows) => rows.index(index as string).getAllKeys(range, count) as IDBRequest<HearthSchema[S]["key"][]>,
    );
  }

  async read<T>(stores: StoreName[], run: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    await this.#committer.upToDate(stores);
    return run(this.#db.transaction(stores, "readonly"));
  }

  async entriesAfter(after: Position, limit: number): Promise<PositionedEntry[] | undefined> {
    const recent = this.#tail.after(after, limit);
    if (recent !== undefined) return recent;
    await this.#committer.upToDate(["log"]);
    // In one go with the beginning of the transaction, which what is trimmed from now on does not change.
    if (after < this.#logStart) return undefined;
    const upTo = this.position;
    const entries: PositionedEntry[] = [];
    const tx = this.#db.transaction("log", "readonly");
    // A row holds what was written together, so that its key may lie past what is asked for.
    let cursor = await tx.store.openCursor(IDBKeyRange.lowerBound(after, true));
    while (cursor !== null && entries.length < limit) {
      const row = rowToEntries(cursor.key, cursor.value);
      for (const entry of row) if (after < entry.position && entry.position <= upTo) entries.push(entry);
      cursor = await cursor.continue();
    }
    return entries.slice(0, limit);
  }

  async trimLog(upTo: Position): Promise<boolean> {
    // The newest row says where the log stands; it may be the only one.
    const last = Math.min(upTo, this.position - 1);
    if (last <= this.#logStart) return false;
    const keys = await this.getAllKeys("log", IDBKeyRange.bound(1, last), TRIMMED_ROWS);
    const first = keys[0];
    const end = keys.at(-1);
    if (first === undefined || end === undefined) return false;
    // Whoever asks from now on is told, though it may take a while until the rows are gone.
    this.#logStart = Math.max(this.#logStart, end);
    await this.commit((write) => write.delete("log", IDBKeyRange.bound(first, end)), { relaxed: true });
    return keys.length === TRIMMED_ROWS;
  }

  onEntries(listener: (entries: readonly PositionedEntry[]) => void): () => void {
    this.#entryListeners.add(listener);
    return () => this.#entryListeners.delete(listener);
  }

  onRollback(listener: () => void): () => void {
    this.#rollbackListeners.add(listener);
    return () => this.#rollbackListeners.delete(listener);
  }

  /** Reads what is durable, in the store or still on its way there. */
  #ask<T>(store: StoreName, ask: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const behind = this.#committer.upToDate([store]);
    if (behind === undefined) return this.#reader.request(store, ask);
    return behind.then(() => this.#reader.request(store, ask));
  }

  /** Whoever commits from now on is told that another leader may be there. */
  stopWriting(): void {
    this.#committer.close();
  }

  close(): void {
    this.stopWriting();
    this.#journal.close();
    this.#db.close();
  }
}
