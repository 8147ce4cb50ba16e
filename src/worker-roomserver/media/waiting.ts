/** Downloads that wait for what is still to be uploaded. */
export class Waiting {
  readonly #wakers = new Map<string, Set<() => void>>();

  /**
   * Looks until there is something to be seen, or the time is over.
   * @returns undefined when the time is over
   */
  async for<T>(id: string, ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    const seen = await look();
    if (seen !== undefined || ms <= 0) return seen;
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const wakers = this.#wakers.get(id) ?? new Set();
    this.#wakers.set(id, wakers.add(wake));
    const timer = setTimeout(wake, ms);
    try {
      // Once more: it may have come before anybody knew that it is waited for.
      const meanwhile = await look();
      if (meanwhile !== undefined) return meanwhile;
      await woken;
      return await look();
    } finally {
      clearTimeout(timer);
      wakers.delete(wake);
      if (wakers.size === 0) this.#wakers.delete(id);
    }
  }

  /** Something has been uploaded. */
  wake(id: string): void {
    for (const wake of this.#wakers.get(id) ?? []) wake();
  }
}
