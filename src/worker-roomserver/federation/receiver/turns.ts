type Waiting = { key: string; begin: () => void };

/**
 * Bounds how many tasks run at a time, and how many of one key: who is slow takes up the places of its own key alone.
 * Those that may run begin in the order in which they came.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #ofOneKey: number;
  readonly #running = new Map<string, number>();
  #all = 0;
  #waiting: Waiting[] = [];

  constructor(atOnce: number, ofOneKey: number) {
    this.#atOnce = atOnce;
    this.#ofOneKey = ofOneKey;
  }

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    if (!this.#isFree(key)) await new Promise<void>((begin) => this.#waiting.push({ key, begin }));
    else this.#enter(key);
    try {
      return await task();
    } finally {
      this.#leave(key);
    }
  }

  #isFree(key: string): boolean {
    return this.#all < this.#atOnce && (this.#running.get(key) ?? 0) < this.#ofOneKey;
  }

  #enter(key: string): void {
    this.#all += 1;
    this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
  }

  #leave(key: string): void {
    this.#all -= 1;
    const left = (this.#running.get(key) ?? 1) - 1;
    if (left === 0) this.#running.delete(key);
    else this.#running.set(key, left);
    const next = this.#waiting.findIndex((waiting) => this.#isFree(waiting.key));
    const [waiting] = next === -1 ? [] : this.#waiting.splice(next, 1);
    if (waiting === undefined) return;
    // Its place is taken here, before anybody else can.
    this.#enter(waiting.key);
    waiting.begin();
  }
}
