import {
  type FederationAnswer,
  type FederationClient,
  FederationError,
  type FederationRequest,
} from "../api.ts";

/**
 * What a search has come to. `isFinal`: the server that should know says that it does not, or all do; else somebody who
 * may know could not be asked.
 */
export type Found<T> = { got: T } | { got: undefined; isFinal: boolean };

/** What one search may cost, however the servers lie; and whether servers are asked that have not answered lately. */
export type SearchBounds = { requests: number; ms: number; evenBackedOff?: "yes" | "no" };

/** Asks servers of a room, one after the other, within bounds. The first of them is the one that should know. */
export class Asker {
  readonly servers: readonly string[];
  readonly #client: Pick<FederationClient, "request">;
  readonly #now: () => number;
  readonly #until: number;
  readonly #evenBackedOff: "yes" | "no";
  #requests: number;

  constructor(
    { client, now }: { client: Pick<FederationClient, "request">; now: () => number },
    servers: readonly string[],
    { requests, ms, evenBackedOff = "no" }: SearchBounds,
  ) {
    this.servers = servers;
    this.#client = client;
    this.#now = now;
    this.#until = now() + ms;
    this.#requests = requests;
    this.#evenBackedOff = evenBackedOff;
  }

  /**
   * Asks until somebody's answer is of use.
   * @param read - what an answer comes to; undefined if it is of no use
   */
  async ask<T>(
    request: Omit<FederationRequest, "destination">,
    read: (answer: FederationAnswer, server: string) => Promise<T | undefined> | T | undefined,
  ): Promise<Found<T>> {
    let isFirstReached = false;
    let areAllReached = true;
    for (const [i, server] of this.servers.entries()) {
      const answer = await this.#request({ ...request, destination: server });
      if (answer === "unreached") {
        areAllReached = false;
        continue;
      }
      if (i === 0) isFirstReached = true;
      const got = answer === "no" ? undefined : await read(answer, server);
      if (got !== undefined) return { got };
    }
    return { got: undefined, isFinal: isFirstReached || areAllReached };
  }

  async #request(request: FederationRequest): Promise<FederationAnswer | "no" | "unreached"> {
    const left = this.#until - this.#now();
    if (this.#requests <= 0 || left <= 0) return "unreached";
    this.#requests -= 1;
    try {
      const timeoutMs = Math.min(left, request.timeoutMs ?? left);
      return await this.#client.request({ ...request, timeoutMs, evenBackedOff: this.#evenBackedOff });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return isAnswer(error) ? "no" : "unreached";
    }
  }
}

/** Whether a server has said that it will not tell, or told what nobody can use: asking again will not help. */
function isAnswer({ failure, status = 0 }: FederationError): boolean {
  if (failure === "answered") return status < 500 && status !== 429;
  return failure === "invalid" || failure === "tooLarge" || failure === "refused";
}
