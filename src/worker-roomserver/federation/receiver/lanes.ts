import { MatrixError } from "../../../matrix/errors.ts";
import type { Position } from "../../storage/schema.ts";
import { Turns } from "./turns.ts";
import type { Later } from "./within.ts";

/** Servers whose mail is taken in at a time. Somebody whose key is slow to come holds one of the places for a second. */
const AT_ONCE = 8;
/** Of one server, until it is another's turn. */
const IN_A_ROW = 8;
/**
 * Of one server, what is looked at before it is its turn: signatures are checked beside the thread that takes events in.
 * With that, two transactions of each are in memory, of up to 10 MiB and mostly of a few kilobytes.
 */
const AHEAD = 1;
/** Mail that waits for keys, of all servers: what is past it is given up, lest it fills the inbox. */
const POSTPONED = 1_000;
const KEY_RETRY_MS = { first: 5_000, most: 60 * 60_000 };
const FAILURE_RETRY_MS = { first: 1_000, most: 60_000 };
/** What fails so often is left until the next start: something is wrong with it that others need not wait for. */
const FAILURES = 6;

export type LanesOptions<P> = {
  later: Later;
  /** What can be found out before it is the mail's turn. */
  prepare: (id: Position) => Promise<P>;
  /** @returns "later" for mail that cannot be judged yet */
  take: (id: Position, prepared: P) => Promise<"ended" | "later">;
  giveUp: (id: Position) => Promise<unknown>;
};

type Lane = {
  /** The next one first. */
  waiting: Position[];
  /** Those that wait for a key; they go first when it is their turn again. */
  postponed: Position[];
  isRunning: boolean;
  /** Of the mail at hand. */
  failures: number;
  keyRetries: number;
  /** Timers that are set: for the mail at hand, and for those that are postponed. */
  resuming: (() => void) | undefined;
  retrying: (() => void) | undefined;
};

/** The mail of each server, one after the other in the order in which it came; servers do not wait for each other. */
export class Lanes<P> {
  readonly #options: LanesOptions<P>;
  readonly #turns = new Turns(AT_ONCE, 1);
  readonly #lanes = new Map<string, Lane>();
  /** All that is in lanes, so that what is told twice is there once. */
  readonly #known = new Set<Position>();
  #postponed = 0;
  #isClosed = false;

  constructor(options: LanesOptions<P>) {
    this.#options = options;
  }

  add(origin: string, id: Position): void {
    if (this.#isClosed || this.#known.has(id)) return;
    this.#known.add(id);
    const lane = this.#lanes.get(origin) ?? {
      ...{ waiting: [], postponed: [], isRunning: false, failures: 0, keyRetries: 0 },
      ...{ resuming: undefined, retrying: undefined },
    };
    this.#lanes.set(origin, lane);
    lane.waiting.push(id);
    void this.#run(origin, lane);
  }

  close(): void {
    this.#isClosed = true;
    for (const { resuming, retrying } of this.#lanes.values()) {
      resuming?.();
      retrying?.();
    }
  }

  async #run(origin: string, lane: Lane): Promise<void> {
    if (lane.isRunning) return;
    lane.isRunning = true;
    while (lane.waiting.length > 0 && !this.#isClosed) {
      const isStuck = await this.#turns.run(origin, () => this.#takeSome(origin, lane));
      if (this.#isClosed) return;
      if (isStuck) {
        this.#resume(origin, lane);
        return; // still running, as far as others are concerned: nothing overtakes what it is stuck at
      }
    }
    lane.isRunning = false;
    if (lane.postponed.length > 0) this.#retryPostponed(origin, lane);
    else this.#lanes.delete(origin);
  }

  /** @returns whether it has come to something that is to be tried again before what is after it */
  async #takeSome(origin: string, lane: Lane): Promise<boolean> {
    const ids = lane.waiting.slice(0, IN_A_ROW);
    const prepared = new Map<Position, Promise<P>>();
    for (const [i, id] of ids.entries()) {
      for (const next of ids.slice(i, i + 1 + AHEAD)) {
        if (!prepared.has(next)) prepared.set(next, this.#prepare(next));
      }
      const outcome = await this.#attempt(origin, id, prepared.get(id)!);
      prepared.delete(id);
      if (this.#isClosed) return false;
      if (outcome === "full" || outcome === "failed") {
        lane.failures += 1;
        // A full disk is no fault of the mail's.
        if (outcome === "full" || lane.failures < FAILURES) return true;
      }
      lane.failures = 0;
      // Others may have come in front of it meanwhile.
      lane.waiting.splice(lane.waiting.indexOf(id), 1);
      if (outcome === "later") await this.#postpone(lane, id);
      else this.#known.delete(id);
    }
    return false;
  }

  #prepare(id: Position): Promise<P> {
    const prepared = this.#options.prepare(id);
    prepared.catch(() => undefined); // who takes it in is told
    return prepared;
  }

  async #attempt(
    origin: string,
    id: Position,
    prepared: Promise<P>,
  ): Promise<"ended" | "later" | "failed" | "full"> {
    try {
      return await this.#options.take(id, await prepared);
    } catch (error) {
      if (!this.#isClosed) console.error(`hearth: mail of ${origin} could not be taken in`, error);
      return error instanceof MatrixError && error.status === 507 ? "full" : "failed";
    }
  }

  #resume(origin: string, lane: Lane): void {
    lane.resuming = this.#options.later(backOff(FAILURE_RETRY_MS, lane.failures), () => {
      lane.resuming = undefined;
      lane.isRunning = false;
      void this.#run(origin, lane);
    });
  }

  async #postpone(lane: Lane, id: Position): Promise<void> {
    if (this.#postponed < POSTPONED) {
      this.#postponed += 1;
      lane.postponed.push(id);
      return;
    }
    this.#known.delete(id);
    try {
      await this.#options.giveUp(id);
    } catch (error) {
      console.error("hearth: mail could not be given up; the next start finds it again", error);
    }
  }

  #retryPostponed(origin: string, lane: Lane): void {
    if (lane.retrying !== undefined) return;
    lane.keyRetries += 1;
    lane.retrying = this.#options.later(backOff(KEY_RETRY_MS, lane.keyRetries), () => {
      lane.retrying = undefined;
      this.#postponed -= lane.postponed.length;
      lane.waiting.unshift(...lane.postponed);
      lane.postponed = [];
      void this.#run(origin, lane);
    });
  }
}

/** @param count - how often it has come to nothing, from 1 on */
const backOff = ({ first, most }: { first: number; most: number }, count: number) =>
  Math.min(most, first * 2 ** Math.min(count - 1, 20));
