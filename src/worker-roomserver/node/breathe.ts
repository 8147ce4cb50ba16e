/** Milliseconds that work may go on before others get their turn. */
const TURN_MS = 12;

type Scheduler = { yield(): Promise<void> };

/**
 * Makes way for what else there is to do, if the work has gone on for long. Promises alone do not: as long as all is in
 * memory, one leads to the next, and requests that came meanwhile wait for the last.
 */
export class Breath {
  #since = performance.now();

  /** Call it between two steps of long work. */
  async take(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    const { scheduler } = globalThis as { scheduler?: Scheduler };
    if (scheduler === undefined) await new Promise((resolve) => setTimeout(resolve));
    else await scheduler.yield();
    this.#since = performance.now();
  }
}
