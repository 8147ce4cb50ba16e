/** Runs tasks of one key one after the other, in the order in which they came; keys do not wait for each other. */
export class KeyedLock<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  run<T>(key: K, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = before === undefined ? task() : before.then(task, task);
    this.#last.set(key, result);
    const forget = () => {
      if (this.#last.get(key) === result) this.#last.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  /** Runs a task that needs several keys. They are taken in one order, so that no two such wait for each other. */
  async runAll<T>(keys: readonly K[], task: () => Promise<T>): Promise<T> {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    try {
      for (const key of [...new Set(keys)].sort()) {
        await new Promise<void>((taken) => {
          void this.run(key, () => {
            taken();
            return released;
          });
        });
      }
      return await task();
    } finally {
      release();
    }
  }
}
