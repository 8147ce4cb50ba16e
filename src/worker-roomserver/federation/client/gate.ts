/** Lets in so many at a time; others wait, in the order in which they came. */
export class Gate {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /** @param mostWaiting - who comes when so many wait is sent away */
  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get isIdle(): boolean {
    return this.#inside === 0;
  }

  /**
   * @param signal - who waits gives up when it is aborted
   * @returns to be called once when done; undefined for who was sent away, or has given up
   */
  async enter(signal?: AbortSignal): Promise<(() => void) | undefined> {
    if (this.#inside < this.#most) {
      this.#inside++;
      return this.#leaving();
    }
    if (this.#waiting.size >= this.#mostWaiting || signal?.aborted === true) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve(this.#leaving());
      };
      const giveUp = () => {
        this.#waiting.delete(go);
        resolve(undefined);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(go);
    });
  }

  /** The same around something. @returns undefined where that was not begun */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    const leave = await this.enter(signal);
    if (leave === undefined) return undefined;
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** The place goes to the next who waits, so that nobody comes in between. */
  #leaving(): () => void {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#inside--;
        return;
      }
      this.#waiting.delete(next);
      next();
    };
  }
}
