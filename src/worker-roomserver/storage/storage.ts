import { type IDBPDatabase, type IndexNames, unwrap } from "idb";
import { type PositionedEntry, rowToEntry } from "../log/entry.ts";
import { LogTail } from "../log/tail.ts";
import type { CommitOptions, Generation, Names, ReadTransaction, Storage, Write } from "./api.ts";
import { BatchReader } from "./batch-reader.ts";
import { Committer } from "./committer.ts";
import { readCounters } from "./counters.ts";
import { StoredNames } from "./names.ts";
import { openDatabase } from "./open.ts";
import type { Counters, HearthSchema, LeadRow, Position, StoreName } from "./schema.ts";

const TAIL_ENTRIES = 5_000;

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
  const epoch = await takeLead(db);
  // Read once nobody else can move them any more.
  const counters = await readCounters(db);
  storage = new IndexedDbStorage(db, { epoch, counters }, () => stop("fenced"));
  return storage;
}

async function takeLead(db: IDBPDatabase<HearthSchema>): Promise<number> {
  const tx = db.transaction("meta", "readwrite", { durability: "strict" });
  const last = (await tx.store.get("lead")) as LeadRow | undefined;
  const epoch = (last?.epoch ?? 0) + 1;
  await tx.store.put({ epoch } satisfies LeadRow, "lead");
  await tx.done;
  return epoch;
}

class IndexedDbStorage implements Storage {
  readonly db: IDBPDatabase<HearthSchema>;
  readonly names: Names;
  readonly epoch: number;
  readonly #committer: Committer;
  readonly #reader: BatchReader;
  readonly #tail: LogTail;
  readonly #entryListeners = new Set<(entries: readonly PositionedEntry[]) => void>();
  readonly #rollbackListeners = new Set<() => void>();

  constructor(
    db: IDBPDatabase<HearthSchema>,
    lead: { epoch: number; counters: Counters },
    onFenced: () => void,
  ) {
    this.db = db;
    this.epoch = lead.epoch;
    this.#reader = new BatchReader(unwrap(db));
    this.#tail = new LogTail(lead.counters.position, TAIL_ENTRIES);
    const names = new StoredNames(db, (text) => this.#committer.newName(text));
    this.names = names;
    this.#committer = new Committer(db, lead, {
      durable: (entries, written) => {
        names.written(written);
        this.#tail.push(entries);
        if (entries.length > 0) for (const listener of this.#entryListeners) listener(entries);
      },
      rollback: () => {
        for (const listener of this.#rollbackListeners) listener();
      },
      fenced: onFenced,
    });
  }

  get generation(): Generation {
    return this.#committer.generation;
  }

  get position(): Position {
    return this.#committer.durablePosition;
  }

  commit<T>(fill: (write: Write) => T, options: CommitOptions = {}): Promise<T> {
    return this.#committer.commit(fill, options);
  }

  settled(): Promise<void> {
    return this.#committer.settled();
  }

  flushed(): Promise<void> {
    return this.#committer.flushed();
  }

  get<S extends StoreName>(
    store: S,
    key: HearthSchema[S]["key"],
  ): Promise<HearthSchema[S]["value"] | undefined> {
    return this.#reader.request(store, (rows) => rows.get(key));
  }

  getAll<S extends StoreName>(
    store: S,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]> {
    return this.#reader.request(store, (rows) => rows.getAll(range, count));
  }

  getAllKeys<S extends StoreName>(
    store: S,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]> {
    return this.#reader.request(
      store,
      (rows) => rows.getAllKeys(range, count) as IDBRequest<HearthSchema[S]["key"][]>,
    );
  }

  fromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]> {
    return this.#reader.request(store, (rows) => rows.index(index as string).getAll(range, count));
  }

  keysFromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]> {
    return this.#reader.request(
      store,
      (rows) => rows.index(index as string).getAllKeys(range, count) as IDBRequest<HearthSchema[S]["key"][]>,
    );
  }

  async read<T>(stores: StoreName[], run: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return run(this.db.transaction(stores, "readonly"));
  }

  async entriesAfter(after: Position, limit: number): Promise<PositionedEntry[]> {
    const recent = this.#tail.after(after, limit);
    if (recent !== undefined) return recent;
    const range = IDBKeyRange.bound(after, this.position, true, false);
    const tx = this.db.transaction("log", "readonly");
    const [keys, rows] = await Promise.all([
      tx.store.getAllKeys(range, limit),
      tx.store.getAll(range, limit),
    ]);
    return rows.map((row, i) => rowToEntry(keys[i]!, row));
  }

  onEntries(listener: (entries: readonly PositionedEntry[]) => void): () => void {
    this.#entryListeners.add(listener);
    return () => this.#entryListeners.delete(listener);
  }

  onRollback(listener: () => void): () => void {
    this.#rollbackListeners.add(listener);
    return () => this.#rollbackListeners.delete(listener);
  }

  /** Whoever commits from now on is told that another leader may be there. */
  stopWriting(): void {
    this.#committer.close();
  }

  close(): void {
    this.stopWriting();
    this.db.close();
  }
}
