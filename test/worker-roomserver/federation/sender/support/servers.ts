import type { JsonObject } from "../../../../../src/matrix/json.ts";
import {
  type Edu,
  type FederationAnswer,
  type FederationClient,
  FederationError,
  type FederationRequest,
} from "../../../../../src/worker-roomserver/federation/api.ts";
import type { TestDestinations } from "./destinations.ts";

/** A transaction that has come to a server; `for`: the server that a relay keeps it for. */
export type Got = {
  id: string;
  pdus: JsonObject[];
  edus: Edu[];
  text: string;
  for?: string;
};
/** `unreadable`: its body is no JSON; `isOurs`: it was not asked, for what is here. */
type Said = { status: number; body?: JsonObject; unreadable?: true; isOurs?: true };
/** What a server does with a transaction; undefined: it is not there. */
type Answer = (got: Got) => Promise<Said | undefined> | Said | undefined;

const path = /^\/_matrix\/federation\/v1\/(send|send_relay)\/([^/]+)(?:\/([^/]+))?$/;

/** Other servers, as far as transactions go: each takes them all, unless it is told otherwise. */
export class TestServers {
  /** By server, what it has taken, in the order in which it came. */
  readonly taken = new Map<string, Got[]>();
  /** By server, all that was sent to it. */
  readonly asked = new Map<string, Got[]>();
  /** The key documents of servers that have one. */
  readonly documents = new Map<string, JsonObject>();
  readonly #answers = new Map<string, Answer>();

  /** The way to them, by which it is known how each stands. */
  client(destinations: TestDestinations): FederationClient {
    return {
      request: (request) => this.#request(request, destinations),
      stream: async ({ destination }) => {
        throw new FederationError("refused", destination, "Nobody asks for a stream here.");
      },
    };
  }

  on(server: string, answer: Answer): void {
    this.#answers.set(server, answer);
  }

  down(server: string): void {
    this.on(server, () => undefined);
  }

  up(server: string): void {
    this.#answers.delete(server);
  }

  /** The texts of the messages that a server has got, in the order in which it got each for the first time. */
  messages(server: string): string[] {
    const pdus = (this.taken.get(server) ?? []).flatMap((got) => got.pdus);
    const bodies = pdus.flatMap(({ content }) => (content as { body?: string }).body ?? []);
    return [...new Set(bodies)];
  }

  edus(server: string): Edu[] {
    return (this.taken.get(server) ?? []).flatMap(({ edus }) => edus);
  }

  async #request(
    { destination, uri, content }: FederationRequest,
    destinations: TestDestinations,
  ): Promise<FederationAnswer> {
    if (!(await destinations.isReady(destination))) {
      throw new FederationError("backingOff", destination, "It is left alone.");
    }
    const said = await this.#said(destination, uri, content);
    if (said?.isOurs) {
      destinations.notAsked(destination);
      throw new FederationError("timeout", destination, "No way out.", { isOurs: true });
    }
    const why = said === undefined ? "It is not there." : `It answers ${said.status}.`;
    if (said === undefined || said.status >= 500 || said.status === 401 || said.unreadable)
      destinations.failed(destination, why);
    else if (said.status === 200 || said.body?.errcode) destinations.succeeded(destination);
    if (said === undefined) throw new FederationError("unreachable", destination, why);
    const { status, body = { pdus: {} }, unreadable } = said;
    if (status !== 200) {
      const { errcode }: JsonObject = body;
      const error = typeof errcode === "string" ? { error: { ...body, errcode } } : {};
      throw new FederationError("answered", destination, why, { status, ...error });
    }
    if (unreadable) throw new FederationError("invalid", destination, why);
    return { status, text: JSON.stringify(body), json: body };
  }

  async #said(server: string, uri: string, content: JsonObject | undefined): Promise<Said | undefined> {
    const [, kind, id = "", user] = path.exec(uri) ?? [];
    if (kind === undefined) {
      const body = this.documents.get(server);
      return body === undefined ? { status: 404 } : { status: 200, body };
    }
    const text = JSON.stringify(content);
    // What has been handed over is not looked at again by who did that.
    const { pdus, edus } = JSON.parse(text) as { pdus: JsonObject[]; edus: Edu[] };
    const forServer = user === undefined ? {} : { for: decodeURIComponent(user).replace(/^@[^:]*:/, "") };
    const got = { id: decodeURIComponent(id), pdus, edus, text, ...forServer };
    push(this.asked, server, got);
    const answer = this.#answers.get(server);
    const said = answer === undefined ? { status: 200 } : await answer(got);
    if (said?.status === 200) push(this.taken, server, got);
    return said;
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
