import { MatrixError } from "../../matrix/errors.ts";

/** `burst` guesses at once, and one more each `everyMs`. */
export type GuessBudget = { burst: number; everyMs: number };

export const guessBudgets: { each: GuessBudget; all: GuessBudget } = {
  each: { burst: 10, everyMs: 20_000 },
  all: { burst: 100, everyMs: 1_000 },
};

/** Past this many targets, those whose budget is whole again are forgotten. */
const sweepAt = 1_000;

/**
 * Limits how often secrets can be guessed: those of one account, and all together. A guess counts from when it
 * begins, so that many at once are no way around it, and is given back when it was right. An account that does
 * not exist has a budget like any other, or the limit would tell which exist.
 */
export class GuessLimits {
  readonly #now: () => number;
  readonly #isOn: () => boolean;
  /** Per target when its budget is whole again, in `#elapsed`. */
  readonly #wholeAt = new Map<string, number>();
  #allWholeAt = 0;
  /** Milliseconds that have passed, as far as the clock went forward: setting it back locks nobody out. */
  #elapsed = 0;
  #lastNow: number;

  /** @param isOn - whether there is a limit at all; asked each time */
  constructor(now: () => number, isOn: () => boolean = () => true) {
    this.#now = now;
    this.#isOn = isOn;
    this.#lastNow = now();
  }

  /**
   * Takes one guess at `target`.
   * @returns gives it back; to be called when the guess was right
   * @throws MatrixError M_LIMIT_EXCEEDED 429 with `retry_after_ms`
   */
  take(target: string): () => void {
    if (!this.#isOn()) return () => undefined;
    const now = this.#time();
    const { each, all } = guessBudgets;
    const ofTarget = withOneMore(this.#wholeAt.get(target), each, now);
    const ofAll = withOneMore(this.#allWholeAt, all, now);
    this.#wholeAt.set(target, ofTarget);
    this.#allWholeAt = ofAll;
    if (this.#wholeAt.size > sweepAt) this.#sweep(now);
    return () => {
      this.#wholeAt.set(target, (this.#wholeAt.get(target) ?? 0) - each.everyMs);
      this.#allWholeAt -= all.everyMs;
    };
  }

  #time(): number {
    const now = this.#now();
    this.#elapsed += Math.max(0, now - this.#lastNow);
    this.#lastNow = now;
    return this.#elapsed;
  }

  #sweep(now: number): void {
    for (const [target, wholeAt] of this.#wholeAt) if (wholeAt <= now) this.#wholeAt.delete(target);
  }
}

/**
 * @returns when a budget will be whole again that is whole at `wholeAt` and of which one guess is taken now
 * @throws MatrixError M_LIMIT_EXCEEDED 429 when there is nothing to take
 */
function withOneMore(wholeAt: number | undefined, { burst, everyMs }: GuessBudget, now: number): number {
  const taken = Math.max((wholeAt ?? 0) - now, 0);
  const wait = taken - (burst - 1) * everyMs;
  if (wait <= 0) return now + taken + everyMs;
  throw new MatrixError("M_LIMIT_EXCEEDED", 429, "Too many wrong attempts: please wait before the next.", {
    retry_after_ms: Math.ceil(wait),
  });
}
