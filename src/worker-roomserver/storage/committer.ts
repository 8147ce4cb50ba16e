import type { PositionedEntry } from "../log/entry.ts";
import type { CommitOptions, Generation, Write } from "./api.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CommitSuperseded, LeaderFenced, storageError } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { type Changes, namesToOperations, type Operation } from "./operations.ts";
import type {
  Counters,
  EventNid,
  JournalKey,
  Nid,
  NumbersRow,
  Position,
  SnapshotNid,
  StoreName,
} from "./schema.ts";
import { Unit } from "./unit.ts";

/** Checkpoints are for calm moments: a burst of writes should not have to share the disk with its own past. */
const CALM_MS = 300;
/** Rows, and time, after which there is one all the same: a new leader has to do what the journal still holds. */
const CHECKPOINT_ROWS = 4_000;
const CHECKPOINT_MS = 10_000;
/**
 * How long a unit may wait for company that is to be expected. A record costs several times what a unit in it
 * does, and those who were just answered together mostly come again together.
 */
const GATHER_MS = 20;

/** What waits for one record of the journal: the writes of several units, in order, and their callers. */
class Batch implements Changes {
  units = 0;
  readonly operations: Operation[] = [];
  readonly entries: PositionedEntry[] = [];
  readonly names: NewName[] = [];
  /** Of the last entry, here or before. */
  position: Position | undefined;
  /** Of lazy units: the batch that they may rest on. */
  after: Batch | undefined;
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
 * Orders all writes. Units are numbered and queued synchronously; while one record is on its way to the
 * disk, the units that arrive gather in the next. Memory may therefore be ahead of the disk, but nothing is
 * acknowledged before it is durable, and when a record fails everything queued behind it fails too and
 * memory goes back to what the disk says.
 */
export class Committer {
  readonly #journal: Journal;
  readonly #checkpoint: Checkpoint;
  readonly #listeners: CommitListeners;
  readonly #counters: Counters;
  /** The last position that is durable. */
  #durable: Position;
  #waiting = new Batch();
  /** Units that nobody waits for: they go into their stores with the next checkpoint, and into no journal. */
  #lazy = new Batch();
  #checkpointTimer: ReturnType<typeof setTimeout> | undefined;
  #inTime: Promise<void> = Promise.resolve();
  /** Since when something waits for a checkpoint, and when something was written last. */
  #behindSince = 0;
  #lastWrite = 0;
  #running: Batch | undefined;
  /** The next record is about to be written. */
  #starting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many units are likely to come together, and since when that is known. */
  #expected = { units: 1, since: 0 };
  #fenced = false;
  /** Why the last checkpoint could not be reached. Until one is, nothing more is taken in. */
  #stuck: Error | undefined;
  /** Names given out, to be written with the next unit, whichever it is. A name once given stays given. */
  #newNames: NewName[] = [];
  generation: Generation = 0;

  constructor(
    to: { journal: Journal; checkpoint: Checkpoint; counters: Counters },
    listeners: CommitListeners,
  ) {
    this.#journal = to.journal;
    this.#checkpoint = to.checkpoint;
    this.#counters = { ...to.counters };
    this.#durable = to.counters.position;
    this.#listeners = listeners;
  }

  get durablePosition(): Position {
    return this.#durable;
  }

  /** Rows that are durable and not in their stores yet. */
  get rowsUnderWay(): number {
    return this.#checkpoint.size;
  }

  commit<T>(fill: (write: Write) => T, options: CommitOptions): Promise<T> {
    if (this.#fenced) return Promise.reject(new LeaderFenced());
    if (this.#stuck !== undefined) {
      this.#planCheckpoint();
      return Promise.reject(this.#stuck);
    }
    if (options.basis !== undefined && options.basis !== this.generation) {
      return Promise.reject(new CommitSuperseded());
    }
    const unit = new Unit(this.#counters.position);
    let result: T;
    try {
      result = fill(unit);
    } catch (error) {
      return Promise.reject(error as Error); // nothing has been queued and no position is used up
    }
    if (options.lazy === true) return this.#queueLazily(unit).then(() => result);
    this.#counters.position = unit.position;
    const batch = this.#waiting;
    batch.units += 1;
    batch.strict ||= options.relaxed !== true;
    append(batch.operations, unit.operations);
    append(batch.entries, unit.entries);
    batch.position = unit.position;
    append(batch.names, this.#newNames.splice(0));
    this.#schedule();
    return batch.done.then(() => result);
  }

  get numbers(): NumbersRow {
    const { eventNid, snapshotNid } = this.#counters;
    return { eventNid, snapshotNid };
  }

  newEvent(): EventNid {
    return ++this.#counters.eventNid;
  }

  newSnapshot(): SnapshotNid {
    return ++this.#counters.snapshotNid;
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

  /** The same, and what waits for company goes as soon as it can. */
  async hurried(): Promise<void> {
    if (this.#waiting.units > 0) {
      // Once the record that is being written has made way.
      await this.#running?.done.catch(() => undefined);
      this.#start();
    }
    await this.settled();
  }

  /** Resolves when all units have failed or are in their stores, those that nobody waits for too. */
  async flushed(): Promise<void> {
    await this.settled();
    await this.#checkpointInTime();
  }

  /**
   * Resolves when these stores have all that is durable; undefined if they have it already.
   * @throws MatrixError 507 when the disk is full; LeaderFenced
   */
  upToDate(stores: Iterable<StoreName>): Promise<void> | undefined {
    return this.#checkpoint.isBehind(stores) ? this.#reachCheckpoint() : undefined;
  }

  /** Nothing may be written any more; what was queued and not waited for is dropped. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpointTimer);
    this.#fenced = true;
    this.#lazy.settle(new LeaderFenced());
    if (this.#running === undefined) this.#waiting.settle(new LeaderFenced());
  }

  #queueLazily(unit: Unit): Promise<void> {
    // It is written after units that come later, so it may take no position.
    if (unit.entries.length > 0) return Promise.reject(new Error("a lazy unit cannot append to the log"));
    const batch = this.#lazy;
    batch.units += 1;
    append(batch.operations, unit.operations);
    batch.after = this.#waiting.units > 0 ? this.#waiting : this.#running;
    this.#planCheckpoint();
    return batch.done;
  }

  #planCheckpoint(): void {
    if (this.#checkpointTimer !== undefined) return;
    this.#behindSince = performance.now();
    this.#waitForCalm(CALM_MS);
  }

  #waitForCalm(ms: number): void {
    this.#checkpointTimer = setTimeout(() => {
      const now = performance.now();
      const calm = this.#lastWrite + CALM_MS - now;
      // A timer may fire a fraction of a millisecond early.
      if (calm < 1 || now - this.#behindSince >= CHECKPOINT_MS) void this.#checkpointInTime();
      else this.#waitForCalm(calm);
    }, ms);
  }

  /**
   * A checkpoint that nobody waits for: what stands in its way is told to those who come next. One after the other, so
   * that who asks for one has what those before have taken along in its store, too.
   */
  #checkpointInTime(): Promise<void> {
    this.#inTime = this.#inTime.then(() => this.#nextInTime());
    return this.#inTime;
  }

  async #nextInTime(): Promise<void> {
    clearTimeout(this.#checkpointTimer);
    this.#checkpointTimer = undefined;
    const lazy = await this.#takeLazy();
    try {
      await this.#reachCheckpoint();
      lazy.settle();
    } catch (error) {
      lazy.settle(error as Error);
    }
  }

  async #reachCheckpoint(): Promise<void> {
    if (this.#fenced) throw new LeaderFenced();
    try {
      await this.#checkpoint.reach();
      this.#stuck = undefined;
    } catch (error) {
      if (error instanceof LeaderFenced) this.#fence();
      this.#stuck = error instanceof LeaderFenced ? error : storageError(error);
      throw this.#stuck;
    }
  }

  /** Adds the lazy units to the next checkpoint, once what they may rest on is durable. */
  async #takeLazy(): Promise<Batch> {
    const lazy = this.#lazy;
    this.#lazy = new Batch();
    try {
      // They may name what has been given a number only now.
      if (this.#newNames.length > 0) await this.commit(() => undefined, { relaxed: true });
      await lazy.after?.done;
      this.#checkpoint.add(lazy);
    } catch (error) {
      lazy.settle(error as Error);
    }
    return lazy;
  }

  /** Starts the next record now or later, as what waits for it demands. */
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
    this.#journal.soon(() => {
      this.#starting = false;
      // Who was told that this leader is gone must not find that it has written after all.
      if (this.#waiting.units === 0 || this.#fenced) return;
      const batch = this.#waiting;
      this.#running = batch;
      this.#waiting = new Batch();
      void this.#run(batch);
    });
  }

  async #run(batch: Batch): Promise<void> {
    const changes = {
      operations: [...namesToOperations(batch.names), ...batch.operations],
      entries: batch.entries,
    };
    let key: JournalKey;
    try {
      key = await this.#journal.add(changes, batch.strict ? "strict" : "relaxed");
    } catch (error) {
      this.#rollback(batch, error);
      return;
    }
    this.#durable = batch.position ?? this.#durable;
    this.#lastWrite = performance.now();
    this.#running = undefined;
    this.#checkpoint.add(changes, key);
    this.#listeners.durable(batch.entries, batch.names);
    batch.settle();
    if (this.#checkpoint.size > CHECKPOINT_ROWS) void this.#checkpointInTime();
    else this.#planCheckpoint();
    if (this.#fenced) this.#waiting.settle(new LeaderFenced());
    else this.#expect(batch.units + this.#waiting.units);
  }

  /** Those who have just been answered, and those who already wait. */
  #expect(units: number): void {
    this.#expected = { units, since: performance.now() };
    if (this.#waiting.units >= units) this.#start();
    else if (this.#waiting.units > 0) this.#startWithin(GATHER_MS);
  }

  #rollback(batch: Batch, cause: unknown): void {
    const failure = cause instanceof LeaderFenced ? cause : storageError(cause);
    // All that queued up behind the failed batch was built on it.
    const waiting = this.#waiting;
    const lazy = this.#lazy;
    this.#waiting = new Batch();
    this.#lazy = new Batch();
    this.#newNames = [...batch.names, ...waiting.names, ...this.#newNames];
    this.generation += 1;
    // The other numbers may be in somebody's hands.
    this.#counters.position = this.#durable;
    this.#running = undefined;
    this.#listeners.rollback();
    if (failure instanceof LeaderFenced) this.#fence();
    batch.settle(failure);
    waiting.settle(failure);
    lazy.settle(failure);
  }

  #fence(): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#listeners.fenced();
  }
}

/** One by one: a call takes no more arguments than the stack has room for, and a unit may bring a whole room. */
function append<T>(to: T[], more: readonly T[]): void {
  for (const one of more) to.push(one);
}
