import { LinkError } from "../api.ts";

type Waiting = { granted(): void; failed(error: unknown): void };

/** So many at a time; the others wait in their order. */
export class Slots {
  readonly #maxWaiting: number;
  #free: number;
  readonly #waiting = new Set<Waiting>();
  #closed: string | undefined;

  constructor(count: number, maxWaiting: number) {
    this.#free = count;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a slot. Undefined: it is taken, at once, so that the caller can go on in the same step.
   * @throws {LinkError} untouched, when too many wait or it is closed; the signal's reason
   */
  take(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#closed !== undefined) throw new LinkError(this.#closed, true);
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    if (this.#waiting.size >= this.#maxWaiting)
      throw new LinkError("Too many requests wait for the peer.", true);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(waiting);
        reject(signal?.reason);
      };
      const done = () => signal?.removeEventListener("abort", abort);
      const waiting: Waiting = {
        granted: () => {
          done();
          resolve();
        },
        failed: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    // Straight to the one who has waited longest: whoever comes now cannot overtake.
    this.#waiting.delete(next);
    next.granted();
  }

  /** Whoever waits fails, and whoever comes. */
  close(reason: string): void {
    this.#closed ??= reason;
    for (const waiting of this.#waiting) waiting.failed(new LinkError(reason, true));
    this.#waiting.clear();
  }
}
