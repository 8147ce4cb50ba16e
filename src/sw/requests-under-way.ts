/** A request that takes longer than this is a long poll, or waits for a leader. */
const longAfterMs = 5_000;

/** Counts the requests under way, so that pages keep the service worker alive for as long as there are long ones. */
export class RequestsUnderWay {
  readonly #onLong: () => void;
  #count = 0;

  /** @param onLong - called when a request has been under way for some seconds */
  constructor(onLong: () => void) {
    this.#onLong = onLong;
  }

  get any(): boolean {
    return this.#count > 0;
  }

  async during<T>(request: Promise<T>): Promise<T> {
    this.#count += 1;
    const long = setTimeout(this.#onLong, longAfterMs);
    try {
      return await request;
    } finally {
      clearTimeout(long);
      this.#count -= 1;
    }
  }
}
