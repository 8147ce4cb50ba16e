/** `toldAt`: when it was last news. */
type Typist = { until: number; toldAt: number; timer: ReturnType<typeof setTimeout> };

/** Who types in one room. The clock decides; timers only see to it that the end is told. */
export class TypistList {
  readonly #now: () => number;
  readonly #onExpired: () => void;
  readonly #typists = new Map<string, Typist>();

  constructor(now: () => number, onExpired: () => void) {
    this.#now = now;
    this.#onExpired = onExpired;
  }

  /** In the order in which they began. */
  typists(): string[] {
    const now = this.#now();
    return [...this.#typists].filter(([, { until }]) => until > now).map(([userId]) => userId);
  }

  /**
   * @param againMs - after so long it is news once more
   * @returns whether that is news
   */
  start(userId: string, milliseconds: number, againMs = Number.POSITIVE_INFINITY): boolean {
    const wasTyping = this.#isTyping(userId);
    // Whoever had stopped goes to the end of the list.
    if (!wasTyping) this.stop(userId);
    clearTimeout(this.#typists.get(userId)?.timer);
    const timer = setTimeout(() => this.#expire(userId), milliseconds);
    const now = this.#now();
    const before = this.#typists.get(userId)?.toldAt ?? Number.NEGATIVE_INFINITY;
    const isNews = !wasTyping || now - before >= againMs;
    this.#typists.set(userId, { until: now + milliseconds, toldAt: isNews ? now : before, timer });
    return isNews;
  }

  /** @returns whether that is news: also when the time was over, but nobody had been told so yet */
  stop(userId: string): boolean {
    clearTimeout(this.#typists.get(userId)?.timer);
    return this.#typists.delete(userId);
  }

  close(): void {
    for (const { timer } of this.#typists.values()) clearTimeout(timer);
  }

  #isTyping(userId: string): boolean {
    return (this.#typists.get(userId)?.until ?? Number.NEGATIVE_INFINITY) > this.#now();
  }

  #expire(userId: string): void {
    this.#typists.delete(userId);
    this.#onExpired();
  }
}
