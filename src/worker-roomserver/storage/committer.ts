import { type IDBPDatabase, unwrap } from "idb";
import { unknown } from "../../matrix/errors.ts";
import { entryToRow, type LogEntry, type PositionedEntry } from "../log/entry.ts";
import type { CommitOptions, Generation, Write } from "./api.ts";
import { readCounters } from "./counters.ts";
import { CommitSuperseded, LeaderFenced } from "./errors.ts";
import type { Counters, HearthSchema, LeadRow, Nid, Position, StoreName } from "./schema.ts";

/** How long units that nobody waits for may gather. */
const LAZY_MS = 500;
/**
 * How long a unit may wait for company that is to be expected. A transaction costs several times what a unit in it
 * does, and those who were just answered together mostly come again together.
 */
const GATHER_MS = 20;

type Operation =
  | { kind: "put"; store: StoreName; value: unknown; key: IDBValidKey | undefined }
  | { kind: "delete"; store: StoreName; key: IDBValidKey | IDBKeyRange };

/** What waits for one transaction: the writes of several units, in order, and their callers. */
class Batch {
  units = 0;
  readonly operations: Operation[] = [];
  readonly entries: PositionedEntry[] = [];
  readonly names: NewName[] = [];
  /** Strict if any unit in it must be. */
  strict = false;
  readonly done: Promise<void>;
  settle!: (failure?: Error) => void;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.settle = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    // Each caller has its own promise built on this one; a batch without callers must not be an unhandled rejection.
    this.done.catch(() => undefined);
  }
}

export type NewName = { text: string; nid: Nid };

export type CommitListeners = {
  durable: (entries: readonly PositionedEntry[], names: readonly NewName[]) => void;
  rollback: () => void;
  fenced: () => void;
};

/**
 * Orders all writes. Units are numbered and queued synchronously; while one transaction is on its way to the
 * disk, the units that arrive gather in the next. Memory may therefore be ahead of the disk, but nothing is
 * acknowledged before it is durable, and when a transaction fails everything queued behind it fails too and
 * memory goes back to what the disk says.
 */
export class Committer {
  readonly #db: IDBPDatabase<HearthSchema>;
  readonly #listeners: CommitListeners;
  readonly #epoch: number;
  #counters: Counters;
  #waiting = new Batch();
  /** Units that nobody waits for. */
  #lazy = new Batch();
  #lazyTimer: ReturnType<typeof setTimeout> | undefined;
  #running: Batch | undefined;
  /** The next transaction is about to start. */
  #starting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many units are likely to come together, and since when that is known. */
  #expected = { units: 1, since: 0 };
  #fenced = false;
  /** Names given out, to be written with the next unit, whichever it is. A name once given stays given. */
  #newNames: NewName[] = [];
  generation: Generation = 0;
  durablePosition: Position;

  constructor(
    db: IDBPDatabase<HearthSchema>,
    lead: { epoch: number; counters: Counters },
    listeners: CommitListeners,
  ) {
    this.#db = db;
    this.#epoch = lead.epoch;
    this.#counters = { ...lead.counters };
    this.durablePosition = lead.counters.position;
    this.#listeners = listeners;
  }

  commit<T>(fill: (write: Write) => T, options: CommitOptions): Promise<T> {
    if (this.#fenced) return Promise.reject(new LeaderFenced());
    if (options.basis !== undefined && options.basis !== this.generation) {
      return Promise.reject(new CommitSuperseded());
    }
    const counters = { ...this.#counters };
    const unit = new Unit(counters);
    let result: T;
    try {
      result = fill(unit);
    } catch (error) {
      return Promise.reject(error as Error); // nothing has been queued and no number is used up
    }
    if (options.lazy === true) return this.#queueLazily(unit).then(() => result);
    this.#counters = counters;
    const batch = this.#waiting;
    batch.units += 1;
    batch.strict ||= options.relaxed !== true;
    batch.operations.push(...unit.operations);
    batch.entries.push(...unit.entries);
    batch.names.push(...this.#newNames.splice(0));
    this.#schedule();
    return batch.done.then(() => result);
  }

  /** Gives out the next name's nid; its rows go with the next unit. */
  newName(text: string): Nid {
    const nid = ++this.#counters.nameNid;
    this.#newNames.push({ text, nid });
    return nid;
  }

  /** Resolves when all units that somebody waits for are durable, or have failed. */
  async settled(): Promise<void> {
    const last = this.#waiting.units > 0 ? this.#waiting : this.#running;
    await last?.done.catch(() => undefined); // its own callers are told of a failure
  }

  /** Resolves when all units are durable, or have failed. */
  async flushed(): Promise<void> {
    this.#takeAlong();
    await this.settled();
  }

  /** Nothing may be written any more; what was queued and not waited for is dropped. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#lazyTimer);
    this.#fenced = true;
    this.#lazy.settle(new LeaderFenced());
    if (this.#running === undefined) this.#waiting.settle(new LeaderFenced());
  }

  #queueLazily(unit: Unit): Promise<void> {
    // It is written after units that come later, so it may take no number.
    if (unit.isNumbered) return Promise.reject(new Error("a lazy unit cannot append to the log"));
    const batch = this.#lazy;
    batch.units += 1;
    batch.operations.push(...unit.operations);
    this.#lazyTimer ??= setTimeout(() => this.#takeAlong(), LAZY_MS);
    return batch.done;
  }

  /** Puts the lazy units into the next transaction, and starts it. */
  #takeAlong(): void {
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    const lazy = this.#lazy;
    if (lazy.units === 0 || this.#fenced) return;
    this.#lazy = new Batch();
    const batch = this.#waiting;
    batch.units += 1;
    batch.operations.push(...lazy.operations);
    batch.names.push(...this.#newNames.splice(0));
    batch.done.then(
      () => lazy.settle(),
      (failure: Error) => lazy.settle(failure),
    );
    this.#start();
  }

  /** Starts the next transaction now or later, as what waits for it demands. */
  #schedule(): void {
    const { units } = this.#waiting;
    if (performance.now() - this.#expected.since > GATHER_MS) this.#expected.units = 1;
    if (units >= this.#expected.units) this.#start();
    else if (units === 1) this.#startWithin(GATHER_MS);
  }

  #startWithin(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), ms);
  }

  #start(): void {
    if (this.#running !== undefined || this.#starting) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#starting = true;
    // A microtask's grace lets units of the same tick travel together.
    queueMicrotask(() => {
      this.#starting = false;
      if (this.#waiting.units === 0) return;
      const batch = this.#waiting;
      this.#running = batch;
      this.#waiting = new Batch();
      void this.#run(batch);
    });
  }

  async #run(batch: Batch): Promise<void> {
    try {
      await this.#write(batch);
    } catch (error) {
      await this.#rollback(batch, error);
      return;
    }
    this.durablePosition = batch.entries.at(-1)?.position ?? this.durablePosition;
    this.#running = undefined;
    this.#listeners.durable(batch.entries, batch.names);
    batch.settle();
    if (this.#fenced) this.#waiting.settle(new LeaderFenced());
    else this.#expect(batch.units + this.#waiting.units);
  }

  /** Those who have just been answered, and those who already wait. */
  #expect(units: number): void {
    this.#expected = { units, since: performance.now() };
    if (this.#waiting.units >= units) this.#start();
    else if (this.#waiting.units > 0) this.#startWithin(GATHER_MS);
  }

  #write(batch: Batch): Promise<void> {
    const stores = new Set<StoreName>(["meta"]);
    for (const operation of batch.operations) stores.add(operation.store);
    if (batch.names.length > 0) stores.add("names").add("nameTexts");
    return new Promise((resolve, reject) => {
      // Plain IndexedDB: a wrapper's promise for each of many puts costs more than the put.
      const tx = unwrap(this.#db).transaction([...stores], "readwrite", {
        durability: batch.strict ? "strict" : "relaxed",
      });
      let cause: Error | undefined;
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(cause ?? tx.error ?? new Error("the transaction was aborted"));
      const abort = (why: Error) => {
        cause = why;
        tx.abort();
      };
      const fence = tx.objectStore("meta").get("lead");
      // The writes need not wait for the fence: if it does not hold, all of them are undone.
      fence.onsuccess = () => {
        if ((fence.result as LeadRow).epoch !== this.#epoch) abort(new LeaderFenced());
        else tx.commit(); // instead of waiting for the answer to each write
      };
      try {
        writeAll(tx, batch);
      } catch (error) {
        // A value that cannot be cloned, or a bad key: a defect, and no reason to write half a batch.
        abort(error as Error);
      }
    });
  }

  async #rollback(batch: Batch, cause: unknown): Promise<void> {
    const failure = cause instanceof LeaderFenced ? cause : storageError(cause);
    const isOver = failure instanceof LeaderFenced || this.#fenced;
    const counters = isOver ? undefined : await this.#storedCounters();
    // All that queued up behind the failed batch, also while the head was read, was built on it.
    const waiting = this.#waiting;
    const lazy = this.#lazy;
    this.#waiting = new Batch();
    this.#lazy = new Batch();
    this.#newNames = [...batch.names, ...waiting.names, ...this.#newNames];
    this.generation += 1;
    if (counters === undefined) this.#fenced = true;
    else this.#counters = { ...counters, nameNid: this.#counters.nameNid };
    this.#running = undefined;
    this.#listeners.rollback();
    if (this.#fenced) this.#listeners.fenced();
    batch.settle(failure);
    waiting.settle(failure);
    lazy.settle(failure);
  }

  /** The counters on the disk; undefined when the database itself is gone, and nothing may be written again. */
  async #storedCounters(): Promise<Counters | undefined> {
    try {
      return await readCounters(this.#db);
    } catch (error) {
      console.error("hearth: the database cannot be read any more", error);
      return undefined;
    }
  }
}

function writeAll(tx: IDBTransaction, batch: Batch): void {
  for (const { text, nid } of batch.names) {
    tx.objectStore("names").put(nid, text);
    tx.objectStore("nameTexts").put(text, nid);
  }
  for (const operation of batch.operations) {
    const store = tx.objectStore(operation.store);
    if (operation.kind === "delete") store.delete(operation.key);
    else if (operation.key === undefined) store.put(operation.value);
    else store.put(operation.value, operation.key);
  }
}

class Unit implements Write {
  readonly operations: Operation[] = [];
  readonly entries: PositionedEntry[] = [];
  readonly #counters: Counters;
  /** Whether a number was given out in it. */
  isNumbered = false;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  put<S extends StoreName>(store: S, value: HearthSchema[S]["value"], key?: HearthSchema[S]["key"]): void {
    this.operations.push({ kind: "put", store, value, key });
  }

  delete<S extends StoreName>(store: S, key: HearthSchema[S]["key"] | IDBKeyRange): void {
    this.operations.push({ kind: "delete", store, key });
  }

  append(partial: Partial<LogEntry> & Pick<LogEntry, "topic">): Position {
    this.isNumbered = true;
    const position = ++this.#counters.position;
    const entry = { room: 0, user: 0, event: 0, detail: "", ...partial, position };
    this.entries.push(entry);
    this.operations.push({ kind: "put", store: "log", value: entryToRow(entry), key: position });
    return position;
  }

  newEvent(): number {
    this.isNumbered = true;
    return ++this.#counters.eventNid;
  }

  newSnapshot(): number {
    this.isNumbered = true;
    return ++this.#counters.snapshotNid;
  }
}

function storageError(cause: unknown): Error {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  if (name === "QuotaExceededError") {
    return unknown("This homeserver's storage is full. Free some disk space, or remove rooms or media.", 507);
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return unknown(`The database did not take the write: ${why}`, 500);
}
