import type { LinkEnd, LinkHandler, LinkRequest, LinkResponse } from "../../../../src/link/api.ts";
import { LinkError } from "../../../../src/link/api.ts";
import type { KeyMailboxRequest, MailboxEntry, RelayInfo } from "../../../../src/link/relay-api.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import type { KeeperOptions, KeptLink, OpenKeeper } from "../../../../src/worker-roomserver/relay/keeper.ts";

type Given = { user_id: string; device_id: string; key_id: string };
type TakenBack = { number: number; given: Given[]; left: Given[] };

/** What a node asks of its relay, in memory: as src/link/relay-api.ts has it, and nothing of how it is carried. */
export class FakeRelay {
  readonly url: string;
  readonly info: RelayInfo;
  /** What it keeps, the oldest first. */
  mailbox: MailboxEntry[] = [];
  /** `GET /mailbox?…`, in the order in which they came. */
  readonly asked: string[] = [];
  /** The last body of each `PUT`, by path. */
  readonly put = new Map<string, unknown>();
  readonly keyMailbox = new Map<string, KeyMailboxRequest>();
  /** By user, device and key id. */
  oneTimeKeys = new Map<string, { given: Given; key: unknown }>();
  /** Answers these paths with an error instead. */
  readonly refusing = new Map<string, { status: number; errcode: string }>();
  /** Called before a request is carried out, and before its answer is given: whoever throws or waits is the network. */
  before: (what: string) => Promise<void> | void = () => undefined;
  after: (what: string) => Promise<void> | void = () => undefined;
  readonly egress: LinkRequest[] = [];
  egressAnswer: LinkResponse = { status: 200, headers: [] };
  links: FakeLink[] = [];
  #entries = 0;
  #given: Given[] = [];
  #takenBack: TakenBack | undefined;
  #number = 0;
  readonly #waiting = new Set<() => void>();
  readonly #acknowledged = new Set<() => void>();

  constructor(url = "https://relay.example") {
    this.url = url;
    const name = new URL(url).host;
    this.info = {
      ...{ name, version: "1", home_suffix: name },
      link: { websocket: `wss://${name}/`, fetch: `${url}/_relay/v1/link` },
      wake_up_key: "BKey",
      limits: { transaction_bytes: 1, mailbox_bytes: 1, mailbox_entries: 1, retention: 1 },
    };
  }

  /** Somebody's transaction comes while the node is away. */
  receive(origin: string, transactionId: string, more: Partial<MailboxEntry> = {}): void {
    this.mailbox.push({
      ...{ entry_id: ++this.#entries, origin, transaction_id: transactionId, method: "PUT" },
      uri: `/_matrix/federation/v1/send/${transactionId}`,
      authorization: [`X-Matrix origin="${origin}",key="ed25519:1",sig="${transactionId}"`],
      ...{ body: "e30=", received_at: 1_700_000_000_000 },
      ...more,
    });
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when all that it has kept is acknowledged. */
  async emptied(): Promise<void> {
    while (this.mailbox.length > 0) await new Promise<void>((resolve) => this.#acknowledged.add(resolve));
  }

  /** Its disk is lost: it counts from one again. */
  forget(): void {
    this.#entries = 0;
    this.mailbox = [];
  }

  /** Somebody wants a one-time key while the node is away. */
  claim(userId: string, deviceId: string): string | undefined {
    for (const [name, { given }] of this.oneTimeKeys) {
      if (given.user_id !== userId || given.device_id !== deviceId) continue;
      this.oneTimeKeys.delete(name);
      this.#given.push(given);
      return given.key_id;
    }
    return undefined;
  }

  useFallback(given: Given): void {
    this.#given.push(given);
  }

  connect(): FakeLink {
    const link = new FakeLink(this);
    this.links.push(link);
    return link;
  }

  async answer({ method, target, body, headers }: LinkRequest, signal: AbortSignal): Promise<LinkResponse> {
    if (!target.startsWith("/_relay/v1/")) {
      this.egress.push({ method, target, headers });
      return this.egressAnswer;
    }
    const what = `${method} ${target.slice("/_relay/v1".length)}`;
    const given = body && (await new Response(body as BodyInit).json());
    await this.before(what);
    if (signal.aborted) throw new LinkError("gone", true);
    const path = what.split("?")[0]!;
    const refusal = this.refusing.get(path);
    if (refusal !== undefined) return json(refusal.status, { errcode: refusal.errcode, error: "No" });
    const answer = await this.#carryOut(what, path, given, signal);
    await this.after(what);
    return json(200, answer);
  }

  async #carryOut(what: string, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    if (path === "GET /mailbox") return this.#mail(new URLSearchParams(what.split("?")[1]), what, signal);
    if (path === "POST /key-mailbox/take-back") return this.#takeBack(body as { acknowledge?: number });
    if (path.startsWith("PUT /key-mailbox/")) {
      const userId = decodeURIComponent(path.slice("PUT /key-mailbox/".length));
      this.#deposit(userId, body as KeyMailboxRequest);
      return {};
    }
    this.put.set(path.slice("PUT ".length), body);
    if (path === "PUT /name") return { name: `${(body as { label: string }).label}.${this.info.name}` };
    return {};
  }

  async #mail(query: URLSearchParams, what: string, signal: AbortSignal): Promise<unknown> {
    this.asked.push(what);
    const acknowledged = Number(query.get("acknowledge") ?? 0);
    this.mailbox = this.mailbox.filter(({ entry_id }) => entry_id > acknowledged);
    for (const told of this.#acknowledged) told();
    this.#acknowledged.clear();
    const after = Number(query.get("after") ?? 0);
    const next = () => this.mailbox.filter(({ entry_id }) => entry_id > after);
    while (next().length === 0 && Number(query.get("wait") ?? 0) > 0) {
      await new Promise<void>((resolve, reject) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener("abort", () => {
          this.#waiting.delete(wake);
          reject(new LinkError("given up", false));
        });
      });
    }
    const [entry, ...more] = next();
    return { ...(entry && { entry }), entries_queued: more.length > 0 };
  }

  #deposit(userId: string, body: KeyMailboxRequest): void {
    this.keyMailbox.set(userId, body);
    for (const [device_id, keys] of Object.entries(body.one_time_keys)) {
      for (const [key_id, key] of Object.entries(keys)) {
        const given = { user_id: userId, device_id, key_id };
        this.oneTimeKeys.set(JSON.stringify(given), { given, key });
      }
    }
  }

  #takeBack({ acknowledge }: { acknowledge?: number }): TakenBack {
    if (acknowledge !== undefined && acknowledge === this.#takenBack?.number) this.#takenBack = undefined;
    if (this.#takenBack !== undefined) {
      // What has come since is taken back with the same answer: none of it may be given out afterwards.
      this.#takenBack.given.push(...this.#given);
      this.#takenBack.left.push(...[...this.oneTimeKeys.values()].map(({ given }) => given));
    } else {
      this.#takenBack = {
        number: ++this.#number,
        given: this.#given,
        left: [...this.oneTimeKeys.values()].map(({ given }) => given),
      };
    }
    this.#given = [];
    this.oneTimeKeys.clear();
    return this.#takenBack;
  }
}

export class FakeLink implements KeptLink {
  readonly ended: Promise<LinkEnd>;
  readonly #relay: FakeRelay;
  readonly #cut = new AbortController();
  #end: (end: LinkEnd) => void = () => undefined;

  constructor(relay: FakeRelay) {
    this.#relay = relay;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async request(make: () => LinkRequest, signal?: AbortSignal): Promise<LinkResponse> {
    const until = signal ? AbortSignal.any([signal, this.#cut.signal]) : this.#cut.signal;
    if (until.aborted) throw new LinkError("gone", true);
    return new Promise((resolve, reject) => {
      until.addEventListener("abort", () => reject(new LinkError("gone", false)), { once: true });
      this.#relay.answer(make(), until).then(resolve, reject);
    });
  }

  /** The connection breaks. */
  cut(kind: LinkEnd["kind"] = "broken"): void {
    this.#cut.abort();
    this.#end({ kind, reason: "cut" });
  }
}

/** Connects at once to the relays of these URLs, and again when asked to. */
export function keeperOf(relays: readonly FakeRelay[]): OpenKeeper & { opened: Map<string, KeeperOptions> } {
  const opened = new Map<string, KeeperOptions>();
  const open: OpenKeeper = (options) => {
    opened.set(options.url, options);
    let link: FakeLink | undefined;
    let isClosed = false;
    const connect = () => {
      const relay = relays.find(({ url }) => url === options.url);
      if (isClosed || link !== undefined) return;
      if (relay === undefined) {
        options.onState({ phase: "waiting", retryAt: Date.now() + 5_000, reason: "Nobody answers" });
        return;
      }
      const made = relay.connect();
      link = made;
      options.onState({ phase: "connected", kind: "webtransport", roundTrip: 12 });
      options.onLink(made, relay.info);
      void made.ended.then((end) => {
        link = undefined;
        if (isClosed) return;
        options.onState({ phase: "waiting", retryAt: Date.now() + 5_000, reason: end.reason });
        options.onEnd();
      });
    };
    queueMicrotask(connect);
    return {
      retry: connect,
      close: async () => {
        isClosed = true;
        link?.cut("closed");
      },
    };
  };
  return Object.assign(open, { opened });
}

/** What a handler answers, read whole. */
export async function ask(
  handler: LinkHandler,
  method: string,
  target: string,
  { headers = [], body }: { headers?: LinkRequest["headers"]; body?: string } = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await handler(
    { method, target, headers, ...(body !== undefined && { body: stream(body) }) },
    new AbortController().signal,
  );
  const text = await new Response(response.body as BodyInit | undefined).text();
  return {
    status: response.status,
    headers: new Headers(response.headers.map(([name, value]): [string, string] => [name, value])),
    body: text === "" ? undefined : JSON.parse(text),
  };
}

export function stream(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(encodeUtf8(text));
      controller.close();
    },
  });
}

const json = (status: number, body: unknown): LinkResponse => ({
  status,
  headers: [["content-type", "application/json"]],
  body: stream(JSON.stringify(body)),
});
