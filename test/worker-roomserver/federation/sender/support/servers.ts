import type { JsonObject } from "../../../../../src/matrix/json.ts";
import type { Egress, EgressAnswer, EgressFailure } from "../../../../../src/worker-roomserver/egress/api.ts";
import type { Edu } from "../../../../../src/worker-roomserver/federation/api.ts";

/** A transaction that has come to a server; `for`: the server that a relay keeps it for. */
export type Got = {
  id: string;
  pdus: JsonObject[];
  edus: Edu[];
  text: string;
  for?: string;
};
type Said = { status: number; body?: JsonObject };
/** What a server does with a transaction; undefined: it is not there. */
type Answer = (got: Got) => Promise<Said | undefined> | Said | undefined;

const path = /^matrix:\/\/([^/]+)\/_matrix\/federation\/v1\/(send|send_relay)\/([^/]+)(?:\/([^/]+))?$/;

/** Other servers, as far as transactions go: each takes them all, unless it is told otherwise. */
export class TestServers {
  /** By server, what it has taken, in the order in which it came. */
  readonly taken = new Map<string, Got[]>();
  /** By server, all that was sent to it. */
  readonly asked = new Map<string, Got[]>();
  readonly #answers = new Map<string, Answer>();

  readonly egress: Egress = { fetch: ({ url }, { body = "" }) => this.#fetch(url, body) };

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
    const bodies = (this.taken.get(server) ?? []).flatMap(({ pdus }) =>
      pdus.flatMap(({ content }) => String((content as JsonObject).body ?? []) || []),
    );
    return [...new Set(bodies)];
  }

  edus(server: string): Edu[] {
    return (this.taken.get(server) ?? []).flatMap(({ edus }) => edus);
  }

  async #fetch(url: string, text: string): Promise<EgressAnswer | EgressFailure> {
    const [, server = "", kind, id = "", user] = path.exec(url) ?? [];
    if (kind === undefined) return { failure: "unreachable", why: "This server takes transactions alone." };
    const { pdus, edus } = JSON.parse(text) as { pdus: JsonObject[]; edus: Edu[] };
    const forServer = user === undefined ? {} : { for: decodeURIComponent(user).replace(/^@[^:]*:/, "") };
    const got = { id: decodeURIComponent(id), pdus, edus, text, ...forServer };
    push(this.asked, server, got);
    const answer = this.#answers.get(server);
    const said = answer === undefined ? { status: 200 } : await answer(got);
    if (said === undefined) return { failure: "unreachable", why: "It is not there." };
    if (said.status === 200) push(this.taken, server, got);
    const body = new Response(JSON.stringify(said.body ?? { pdus: {} })).body;
    return { status: said.status, headers: {}, url, body };
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
