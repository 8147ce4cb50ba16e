import type { IDBPTransaction, IndexNames } from "idb";
import type { LogEntry, PositionedEntry } from "../log/entry.ts";
import type {
  EventNid,
  HearthSchema,
  Nid,
  NumbersRow,
  Position,
  RowStore,
  SnapshotNid,
  StoreName,
} from "./schema.ts";

/** Counts how often memory was thrown away because a commit had failed: what was read before is then void. */
export type Generation = number;

export type ReadTransaction = IDBPTransaction<HearthSchema, StoreName[], "readonly">;

/**
 * What one operation writes, whole or not at all. Exists only inside the callback of `commit`.
 * Nothing is read here: an operation reads and decides first, then fills its unit in one go.
 */
export interface Write {
  put<S extends RowStore>(store: S, value: HearthSchema[S]["value"], key?: HearthSchema[S]["key"]): void;
  delete<S extends StoreName>(store: S, key: HearthSchema[S]["key"] | IDBKeyRange): void;
  /** Appends to the log. @returns the entry's position; it becomes visible to readers once durable. */
  append(entry: Partial<LogEntry> & Pick<LogEntry, "topic">): Position;
}

export type CommitOptions = {
  /**
   * The generation in which the caller read what it bases its decision on, where that was memory which may be
   * ahead of the disk. If a commit has failed since, this one is refused (and nothing written).
   */
  basis?: Generation;
  /** Losing it in a power cut does no harm (typing, presence). A closed tab or a crash loses nothing anyway. */
  relaxed?: boolean;
  /**
   * Nobody waits for it, and it can be derived again: it goes into its stores with the next checkpoint, after units
   * that may come later, and into no journal. It may not append to the log.
   */
  lazy?: boolean;
};

/** Interned strings. Both ways are cached; a name once given never changes. */
export interface Names {
  /** The nid of a text, made if there is none yet. */
  intern(text: string): Promise<Nid>;
  /** The nid of a text, undefined if it was never interned. */
  find(text: string): Promise<Nid | undefined>;
  /** @throws if there is no such nid: a row names something that was never stored. */
  text(nid: Nid): Promise<string>;
}

/** The database of one node, for the components that run in the leader. */
export interface Storage {
  readonly names: Names;
  /** Which leader this is: a higher one is newer. */
  readonly epoch: number;
  readonly generation: Generation;
  /** The newest position that is durable: everything up to it can be read. */
  readonly position: Position;
  /** The log holds every entry after this position. What is older may be gone. */
  readonly logStart: Position;
  /** The highest numbers given out so far. Whoever removes rows of these numbers puts it into `meta` before. */
  readonly numbers: NumbersRow;

  /** A number for an event or a snapshot, higher than all before. What is not used is never given out again. */
  newEvent(): EventNid;
  newSnapshot(): SnapshotNid;

  /**
   * Fills a unit and queues it. `fill` runs at once and synchronously, so units are ordered as `commit` was
   * called. Units that wait together share one record of the journal (group commit); reads see it from then on.
   * @returns what `fill` returned, once it is on the disk
   * @throws MatrixError 507 when the disk is full; LeaderFenced when another leader has taken over
   */
  commit<T>(fill: (write: Write) => T, options?: CommitOptions): Promise<T>;

  /**
   * Puts bytes of any length into the store `blobs`, in a transaction of their own: they are on the disk when this
   * resolves, and nothing has been written when it fails. A unit that comes after it names them, and deletes them as it
   * deletes rows; those that no unit has named before a crash are whoever's task that puts such.
   * @param key - never used before: what an earlier unit deletes may still be on its way to the store
   * @throws MatrixError 507 when the disk is full; LeaderFenced
   */
  putBlob(key: string, blob: Blob): Promise<void>;

  /**
   * Resolves when everything queued so far is durable (or has failed), but for lazy units. Await it before reading
   * what may be queued, and before telling a client what is known from memory.
   */
  settled(): Promise<void>;

  /** The same for who has queued much and knows that no more comes: it does not wait for company either. */
  hurried(): Promise<void>;

  /** The same with lazy units, which are written at once for it. */
  flushed(): Promise<void>;

  /** One row. Reads that are asked for in the same tick share a transaction. */
  get<S extends StoreName>(
    store: S,
    key: HearthSchema[S]["key"],
  ): Promise<HearthSchema[S]["value"] | undefined>;

  /** The rows of a range in the order of their keys, at most `count`; shares a transaction as `get` does. */
  getAll<S extends StoreName>(
    store: S,
    range?: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]>;

  /** The keys of a range; shares a transaction as `get` does. */
  getAllKeys<S extends StoreName>(
    store: S,
    range?: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]>;

  /** The rows of a range of an index, in its order, at most `count`; shares a transaction as `get` does. */
  fromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["value"][]>;

  /** The primary keys of a range of an index. */
  keysFromIndex<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]>;

  /**
   * The same as the store was at the last checkpoint: does not wait for what is still on its way there. For those who
   * have all that in memory and want to know whether there is anything else.
   */
  storedKeys<S extends StoreName, I extends IndexNames<HearthSchema, S>>(
    store: S,
    index: I,
    range: IDBKeyRange,
    count?: number,
  ): Promise<HearthSchema[S]["key"][]>;

  /** Reads in one transaction. Await nothing in `run` but its requests: IndexedDB closes it otherwise. */
  read<T>(stores: StoreName[], run: (tx: ReadTransaction) => Promise<T>): Promise<T>;

  /**
   * Log entries after `after`, oldest first, at most `limit`; those of the last minutes come from memory.
   * Undefined where the log does not reach back that far.
   */
  entriesAfter(after: Position, limit: number): Promise<PositionedEntry[] | undefined>;

  /**
   * Removes some rows of the log, the oldest, with no entry past `upTo`; never the newest row, which says how far the
   * log has come. One range of at most some hundred rows. @returns whether there is more to remove
   */
  trimLog(upTo: Position): Promise<boolean>;

  /** Called with the entries of every commit, in order, once durable. @returns how to stop that. */
  onEntries(listener: (entries: readonly PositionedEntry[]) => void): () => void;

  /** Called when a commit has failed and memory that may be ahead of the disk must be dropped. */
  onRollback(listener: () => void): () => void;

  close(): void;
}
