/** The end of a wait: its time is up, or its client has gone. */
export type End = {
  readonly promise: Promise<void>;
  readonly hasCome: boolean;
  come(): void;
  /** To be called when nobody waits any more. */
  clear(): void;
};

/** The ends of all waits that are under way, by the names of their calls. */
export class Ends {
  readonly #cancels = new Map<string, () => void>();

  /** @param timeout - milliseconds; 0: the end has come already */
  open(name: string, timeout: number): End {
    let resolve!: () => void;
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const end = {
      promise,
      hasCome: false,
      come: () => {
        end.hasCome = true;
        resolve();
      },
      clear: () => {
        clearTimeout(timer);
        this.#cancels.delete(name);
      },
    };
    const timer = timeout > 0 ? setTimeout(end.come, timeout) : undefined;
    if (timeout <= 0) end.come();
    this.#cancels.set(name, end.come);
    return end;
  }

  /** Unknown names are ignored: their wait is over. */
  cancel(name: string): void {
    this.#cancels.get(name)?.();
  }
}
