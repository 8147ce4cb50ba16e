import type { PositionedEntry } from "../log/entry.ts";
import type { Storage } from "../storage/api.ts";
import { LeaderFenced } from "../storage/errors.ts";

const HOUR_MS = 60 * 60_000;
/** Who has just opened the page wants to see something first. */
const FIRST_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Removes something in bounded units, and yields after each of them; any may be the last before a crash. */
export type Removal = () => AsyncGenerator<void>;

export type CompactorOptions = {
  storage: Storage;
  /** Milliseconds since 1970. */
  now: () => number;
  /** What knows where to look. */
  hourly: readonly Removal[];
  /** What goes through a whole store. */
  daily: readonly Removal[];
};

/**
 * Has removed what nothing needs any more: a minute after the node has opened, each hour, and when a room is purged. What it leaves is
 * done the next time.
 *
 * Not looked for are states that no event names: only a look at every event of a room would find them.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  #running: Promise<void> | undefined;
  /** Something has come up since the run that is under way began. */
  #isAsked = false;
  #isClosed = false;
  #lastSweep = Number.NEGATIVE_INFINITY;
  #first: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /**
   * Runs in a minute, and from then on whenever there is reason to.
   * @param isAwaited - there is already: it runs at once
   */
  start(isAwaited: boolean): void {
    const follow = (entries: readonly PositionedEntry[]) => {
      if (entries.some(({ topic }) => topic === "purge")) this.#inBackground();
    };
    this.#unsubscribe = this.#options.storage.onEntries(follow);
    this.#timer = setInterval(() => this.#inBackground(), HOUR_MS);
    if (isAwaited) this.#inBackground();
    else this.#first = setTimeout(() => this.#inBackground(), FIRST_MS);
  }

  /**
   * Resolves when all that nothing needed when it was called is gone.
   * @throws what the storage failed with
   */
  run(): Promise<void> {
    this.#isAsked = true;
    this.#running ??= this.#runWhileAsked().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Nothing more is begun; of the unit that it is at, whoever closes the storage need not know. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#first);
    clearInterval(this.#timer);
    this.#unsubscribe?.();
  }

  #inBackground(): void {
    this.run().catch((error: unknown) => {
      if (this.#isClosed || error instanceof LeaderFenced) return; // the next leader does it
      console.error(
        "hearth: what is not needed any more could not be removed; it is tried again later",
        error,
      );
    });
  }

  async #runWhileAsked(): Promise<void> {
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false;
      await this.#runOnce();
    }
  }

  async #runOnce(): Promise<void> {
    const { now, hourly, daily } = this.#options;
    for (const removal of hourly) await this.#through(removal());
    if (now() - this.#lastSweep < DAY_MS) return;
    for (const removal of daily) await this.#through(removal());
    this.#lastSweep = now();
  }

  async #through(units: AsyncGenerator<void>): Promise<void> {
    for await (const _ of units) if (this.#isClosed) return;
  }
}
