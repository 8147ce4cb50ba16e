import type { Storage, Write } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type { PositionedEntry } from "./entry.ts";

/** What a reader writes because of some entries. Runs inside a commit: synchronous, and reads nothing. */
export type Effects = (write: Write) => void;

export type ReaderOptions = {
  storage: Storage;
  /**
   * Key of the offset in the store `readers`. A reader of a new name begins where the log does, which is not where all
   * began: it must make up what is older from the stores. The row of a name that is given up must go with a migration,
   * as it holds back the log from being trimmed.
   */
  name: string;
  /** Milliseconds for which entries gather that nobody waits for; 20 unless it is said. */
  gatherMs?: number;
  /**
   * Takes in entries, oldest first, each batch once and in order. It may keep what it learns in memory ahead of
   * the disk, as long as `reset` can drop that. It may also commit units of its own, if they change nothing when
   * they are made again: what they are made for is handled once more if the leader dies before the offset is stored.
   * @returns what to write, or undefined where these entries leave nothing behind
   */
  handle(entries: readonly PositionedEntry[]): Promise<Effects | undefined>;
  /**
   * Drops all memory: entries will be handled from the stored offset on. Called before the first entry too, and
   * never while `handle` is under way.
   */
  reset(): void;
};

const BATCH = 500;
const GATHER_MS = 20;
/** Entries that left nothing behind may be handled again; only so many, lest a start takes long: one batch. */
const OFFSET_LAG = BATCH;

type Waiter = { position: Position; resolve: () => void; reject: (error: unknown) => void };

/**
 * Follows the log. What entries lead to is written in one unit with the offset after them, so that each has its
 * effect once, whenever the leader dies: the next reader of the name goes on from the offset. Handling runs
 * ahead of writing; while one unit is on its way to the disk, the effects that come up gather in the next.
 *
 * After a failure (of `handle`, or of a write) it starts over from the disk when somebody next asks or the log
 * grows, not at once: what fails for lack of disk space must not be tried in a circle.
 */
export class DurableReader {
  readonly #options: ReaderOptions;
  /** Handled up to here, in memory. Undefined: the offset has to be read from the disk. */
  #handled: Position | undefined;
  #stored: Position = 0;
  /** Counts restarts: what was begun before one is void. */
  #life = 0;
  #pending: Effects[] = [];
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #waiters: Waiter[] = [];
  #stopped = false;
  readonly #unsubscribe: (() => void)[];

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#unsubscribe = [
      options.storage.onEntries(() => this.#wakeSoon()),
      options.storage.onRollback(() => this.#restart()),
    ];
    this.#wake();
  }

  /**
   * Resolves once every entry up to the position (and that is stored) has been handled.
   * @throws what `handle` threw, if it did; asking again tries again
   */
  caughtUp(position: Position): Promise<void> {
    const target = Math.min(position, this.#options.storage.position);
    if (this.#handled !== undefined && this.#handled >= target) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position: target, resolve, reject });
      this.#wake();
    });
  }

  /**
   * Resolves once what every entry up to the position has led to is in its stores: for who reads them there. Dearer than
   * `caughtUp`, as it has written what would have waited for company.
   * @throws what `handle` threw, if it did
   */
  async stored(position: Position): Promise<void> {
    await this.caughtUp(position);
    const target = this.#handled ?? 0;
    // Nothing is on its way where nothing came of them. One unit gathers while another is being written.
    while (this.#stored < target && this.#writing !== undefined) {
      const writing = this.#writing;
      await this.#options.storage.flushed();
      await writing;
    }
  }

  /** Handles and writes nothing more. Whoever still waits is told. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#life += 1;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#failWaiters(stoppedError());
  }

  /** Entries gather for a moment, unless somebody waits: who writes them should not have to wait for this as well. */
  #wakeSoon(): void {
    if (this.#waiters.length > 0) this.#wake();
    else if (!this.#running) {
      this.#timer ??= setTimeout(() => this.#wake(), this.#options.gatherMs ?? GATHER_MS);
    }
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#stopped) this.#failWaiters(stoppedError());
    else if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { storage } = this.#options;
    let isSecondAttempt = false;
    while (!this.#stopped && (this.#handled === undefined || this.#handled < storage.position)) {
      const life = this.#life;
      try {
        if (this.#handled === undefined) await this.#load();
        else {
          await this.#step(this.#handled);
          isSecondAttempt = false;
        }
      } catch (error) {
        if (this.#stopped) break;
        // What a restart has made void may well have failed; then it is done anew. But once only: the restart may
        // be due to a unit of `handle` itself, which the disk does not take.
        if (life !== this.#life && !isSecondAttempt) {
          isSecondAttempt = true;
          continue;
        }
        this.#restart();
        if (this.#waiters.length === 0) console.error(`hearth: reader ${this.#options.name} failed`, error);
        this.#failWaiters(error);
        break;
      }
    }
    this.#running = false;
  }

  async #load(): Promise<void> {
    const life = this.#life;
    const { storage, name } = this.#options;
    // Here, and not when the failure came: by now no `handle` is under way that could bring old memory back.
    this.#options.reset();
    // A unit that is still on its way may yet move the offset.
    await this.#writing;
    const stored = await storage.get("readers", name);
    const offset = Math.max(stored ?? 0, storage.logStart);
    if (stored !== undefined && stored < offset) {
      console.error(
        `hearth: the log does not reach back to where the reader ${name} stood: entries are lost to it`,
      );
    }
    // From then on the log is not trimmed past it.
    if (stored !== offset) {
      await storage.commit((write) => write.put("readers", offset, name), { relaxed: true });
    }
    if (life !== this.#life) return;
    this.#stored = offset;
    this.#advance(offset);
  }

  async #step(after: Position): Promise<void> {
    const life = this.#life;
    const { storage } = this.#options;
    const upTo = storage.position;
    const entries = await storage.entriesAfter(after, BATCH);
    if (entries === undefined) {
      // It was trimmed while this reader put down where it begins.
      if (life === this.#life) this.#restart();
      return;
    }
    const effects = entries.length === 0 ? undefined : await this.#options.handle(entries);
    if (life !== this.#life) return;
    if (effects !== undefined) this.#pending.push(effects);
    this.#advance(entries.at(-1)?.position ?? upTo);
    this.#flush();
  }

  #advance(position: Position): void {
    this.#handled = position;
    const done = this.#waiters.filter((waiter) => waiter.position <= position);
    this.#waiters = this.#waiters.filter((waiter) => waiter.position > position);
    for (const waiter of done) waiter.resolve();
  }

  #flush(): void {
    const offset = this.#handled;
    if (this.#writing !== undefined || offset === undefined) return;
    if (this.#pending.length === 0 && offset - this.#stored < OFFSET_LAG) return;
    const life = this.#life;
    const pending = this.#pending;
    this.#pending = [];
    const { storage, name } = this.#options;
    const written = storage.commit(
      (write) => {
        for (const effects of pending) effects(write);
        write.put("readers", offset, name);
      },
      // Losing the last of it does no harm: it is done again. So it need not cost a transaction of its own.
      { lazy: true },
    );
    this.#writing = written.then(
      () => {
        this.#writing = undefined;
        if (life !== this.#life) return;
        this.#stored = offset;
        this.#flush();
      },
      (error: unknown) => {
        this.#writing = undefined;
        if (life !== this.#life) return; // the storage has rolled back, and all begins anew
        console.error(`hearth: reader ${name} could not write`, error);
        this.#restart();
      },
    );
  }

  #restart(): void {
    this.#life += 1;
    this.#handled = undefined;
    this.#pending = [];
  }

  #failWaiters(error: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}

const stoppedError = () => new Error("This reader of the log has been stopped.");
