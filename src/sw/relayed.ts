import { forbidden, unrecognized } from "../matrix/errors.ts";
import {
  RELAY_MARK,
  RELAY_UNLIMITED,
  RELAYED_BASE,
  RELAYED_STATUS,
  type Relays,
} from "../worker-roomserver/relay/api.ts";
import { errorAnswer } from "./answer.ts";
import { type ClientApi, pathInScope } from "./door.ts";

/** No address is longer; what is stands for one as well. */
const MOST_ADDRESS = 64;

/**
 * Answers what the homeserver's own worker asks for somebody who has come through a relay. Nobody but that worker knows
 * the mark; what bears another one is refused, as nothing that bears any is a page's.
 */
export class RelayedRequests {
  readonly #clientApi: ClientApi;
  readonly #relays: Pick<Relays, "knowsMark">;
  readonly #scopePath: string;
  /** The mark of the worker that leads. */
  #known: string | undefined;

  constructor(options: { clientApi: ClientApi; relays: Pick<Relays, "knowsMark">; scopePath: string }) {
    this.#clientApi = options.clientApi;
    this.#relays = options.relays;
    this.#scopePath = options.scopePath;
  }

  /** @param mark - of the request. @returns an answer of status 200: see `RELAYED_STATUS`. Never fails. */
  async answer(request: Request, mark: string): Promise<Response> {
    const { status, headers, body } = await this.#answer(request, mark).catch((error: unknown) =>
      errorAnswer(error),
    );
    const marked = new Headers(headers);
    marked.set(RELAYED_STATUS, String(status));
    return new Response(body, { headers: marked });
  }

  async #answer(request: Request, mark: string): Promise<Response> {
    if (mark !== this.#known) {
      if (!(await this.#relays.knowsMark(mark)))
        throw forbidden("This request does not come through a relay.");
      this.#known = mark;
    }
    const path = pathInScope(new URL(request.url).pathname, this.#scopePath) ?? "";
    if (!isForClients.test(path)) throw unrecognized("There is no such endpoint on this homeserver.");
    return this.#clientApi(request, {
      source: "relay",
      address: addressOf(request.headers),
      baseUrl: request.headers.get(RELAYED_BASE) ?? "",
      ...(request.headers.has(RELAY_UNLIMITED) && { unlimited: true }),
    });
  }
}

const isForClients =
  /^\/(_matrix\/(client|media)|_hearth\/oauth|_synapse\/admin\/v1\/register|\.well-known\/matrix\/client)(\/|$)/;

/** The mark of a request that has come through a relay; undefined for all others. */
export const markOf = ({ headers }: Request) => headers.get(RELAY_MARK) ?? undefined;

/** Whom the relay has seen: what others say of themselves stands before it. */
function addressOf(headers: Headers): string {
  const forwarded = headers.get("X-Forwarded-For") ?? "";
  return forwarded
    .slice(forwarded.lastIndexOf(",") + 1)
    .trim()
    .slice(0, MOST_ADDRESS);
}
