import { namedFetch } from "../../../../src/ui/matrix/named-fetch.ts";

/** A request as a device made it: the path with its query, the body where it is text, status 0 until it is answered. */
export type Sent = { method: string; path: string; body: string; status: number };

/** A device's way to its homeserver, which a test can cut and listen in on. */
export class Line {
  readonly sent: Sent[] = [];
  /** Called after each answer. */
  onAnswer: () => void = () => undefined;
  #cutter = new AbortController();
  #mended: Promise<void> = Promise.resolve();
  #mend: () => void = () => undefined;
  #spoken: Promise<unknown> = Promise.resolve();

  /** What is under way when the line is cut, and what is asked while it is, is asked when it has been mended. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input, location.href);
    const body = typeof init?.body === "string" ? init.body : "";
    const sent = {
      method: init?.method ?? "GET",
      path: decodeURIComponent(pathname) + search,
      body,
      status: 0,
    };
    this.sent.push(sent);
    for (;;) {
      await this.#mended;
      const cut = this.#cutter.signal;
      const signal = AbortSignal.any([cut, ...(init?.signal ? [init.signal] : [])]);
      try {
        const response = await namedFetch(input, { ...init, signal });
        if (pathname.endsWith("/sync")) await this.#spoken;
        sent.status = response.status;
        this.onAnswer();
        return response;
      } catch (error) {
        if (!cut.aborted || init?.signal?.aborted) throw error;
      }
    }
  };

  /**
   * Has no answer of sync arrive until something has been said. The SDK rejects a reply to a thread that its sync brings
   * before it has made use of the answer to sending it; from a homeserver in the same browser both come within a
   * millisecond.
   */
  async beforeSync<T>(say: () => Promise<T>): Promise<T> {
    const saying = say();
    this.#spoken = Promise.allSettled([this.#spoken, saying]);
    return saying;
  }

  cut(): void {
    this.#mended = new Promise((resolve) => {
      this.#mend = resolve;
    });
    this.#cutter.abort();
  }

  mend(): void {
    this.#cutter = new AbortController();
    this.#mend();
  }
}
