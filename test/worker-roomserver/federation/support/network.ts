import type { LinkHandler } from "../../../../src/link/api.ts";
import { bodyOf } from "../../../../src/link/bodies.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import type {
  Egress,
  EgressAnswer,
  EgressFailure,
  EgressRequest,
} from "../../../../src/worker-roomserver/egress/api.ts";
import { failureOf, limited } from "../../../../src/worker-roomserver/egress/body.ts";

/** A request that has gone over the network, as it was made. */
export type Carried = { from: string; to: string; method: string; uri: string; body: string | undefined };

/** The servers that can reach one another in a test, in one process: requests go straight to who answers them. */
export class TestNetwork {
  /** In the order in which they were made. */
  readonly carried: Carried[] = [];
  readonly #servers = new Map<string, LinkHandler>();
  readonly #down = new Set<string>();

  add(serverName: string, answer: LinkHandler): void {
    this.#servers.set(serverName, answer);
  }

  /** A server that is down is reached by nobody, and reaches nobody. */
  setDown(serverName: string, isDown: boolean): void {
    if (isDown) this.#down.add(serverName);
    else this.#down.delete(serverName);
  }

  /** The way out of one server. @param from - asked each time, as a node knows its name only once it is open */
  egress(from: () => string): Egress {
    return { fetch: ({ url }, request) => this.#carry(from(), url, request) };
  }

  async #carry(from: string, url: string, request: EgressRequest): Promise<EgressAnswer | EgressFailure> {
    const match = /^matrix:\/\/([^/]+)(\/.*)$/.exec(url);
    if (match === null) return { failure: "refused", why: "This network has only homeservers." };
    const [, to = "", uri = ""] = match;
    const { method, headers, body, timeout, maxBytes } = request;
    const answer = this.#servers.get(to);
    if (this.#down.has(from)) return { failure: "unreachable", why: "There is no way out.", isOurs: true };
    if (answer === undefined || this.#down.has(to)) {
      return { failure: "unreachable", why: "There is no such server." };
    }
    this.carried.push({ from, to, method, uri, body });
    const signal = AbortSignal.timeout(timeout);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    try {
      const response = await Promise.race([
        answer(
          {
            method,
            target: uri,
            headers: Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
            body: body === undefined ? undefined : bodyOf(encodeUtf8(body)),
          },
          signal,
        ),
        aborted,
      ]);
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        url,
        body: response.body ? limited(response.body, maxBytes, signal) : null,
      };
    } catch (error) {
      return failureOf(error, signal);
    }
  }
}
