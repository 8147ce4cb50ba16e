import type { LinkHandler } from "../../link/api.ts";
import { forbidden, MatrixError, notFound, unknown } from "../../matrix/errors.ts";
import { relayUrl } from "../../matrix/relay-url.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { Egress, EgressRequest, EgressTarget } from "../egress/api.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { RelayRow } from "../storage/schema.ts";
import type { RelayState, Relays, WakeUpSubscription } from "./api.ts";
import { browserKeepers } from "./browser-keepers.ts";
import { clientRequests } from "./client-requests.ts";
import { askOver, mayGoOverRelay } from "./egress.ts";
import { StoredInbox } from "./inbox.ts";
import type { Keeper, KeeperState, KeptLink, OpenKeeper } from "./keeper.ts";
import { answering } from "./requests.ts";
import { RelaySession, type SessionOptions } from "./session.ts";
import { inWords } from "./words.ts";

/** Each costs a connection; a handful is more than anybody needs. */
const MOST_RELAYS = 8;

export type RelaysOptions = {
  storage: Storage;
  serverName: string;
  key: SigningKey;
  /** They are there when the first session is. */
  keys: () => SessionOptions["keys"];
  /** What other servers ask. */
  answerServers: LinkHandler;
  /** A session has begun: there is a way to other servers that there was not. */
  onSession: () => void;
  /** By default, whatever this browser has. */
  openKeeper?: OpenKeeper | undefined;
  /** The worker's own, and the origin of its page: for the client API. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  origin: string;
  /** Whether clients that come through a relay are limited; asked each time. */
  isLimited: () => boolean;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
};

type Kept = {
  url: string;
  row: RelayRow;
  keeper: Keeper;
  state: KeeperState;
  session: RelaySession | undefined;
};

/** @see Relays */
export class StoredRelays implements Relays {
  readonly inbox: StoredInbox;
  readonly #options: RelaysOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #mark = crypto.randomUUID();
  #asleep = false;

  private constructor(options: RelaysOptions) {
    const { storage, now } = options;
    this.#options = options;
    this.inbox = new StoredInbox(storage, now);
  }

  /** Begins to connect to all relays that are known. */
  static async open(options: RelaysOptions): Promise<StoredRelays> {
    const { storage } = options;
    const relays = new StoredRelays(options);
    const [urls, rows] = await Promise.all([storage.getAllKeys("relays"), storage.getAll("relays")]);
    urls.forEach((url, i) => {
      relays.#keep(url, rows[i]!);
    });
    return relays;
  }

  states(): Promise<RelayState[]> {
    const kept = [...this.#kept.values()].sort((a, b) => (a.url < b.url ? -1 : 1));
    return Promise.resolve(kept.map((each) => this.#stateOf(each)));
  }

  async add(text: string): Promise<RelayState> {
    const url = relayUrl(text);
    const present = this.#kept.get(url);
    if (present !== undefined) return this.#stateOf(present);
    if (this.#kept.size >= MOST_RELAYS) {
      throw new MatrixError("M_LIMIT_EXCEEDED", 400, `A homeserver keeps at most ${MOST_RELAYS} relays.`);
    }
    const row: RelayRow = { name: "", added: "owner", clientApi: false, names: [], takenBack: 0 };
    // There at once, so that a second call does not make it twice.
    const kept = this.#keep(url, row);
    try {
      await this.#store(kept);
    } catch (error) {
      await this.#drop(kept);
      throw error;
    }
    return this.#stateOf(kept);
  }

  async remove(url: string): Promise<void> {
    const kept = this.#kept.get(url);
    if (kept === undefined) return;
    if (kept.row.added === "home") {
      throw forbidden("This homeserver's name is one of this relay's, so it stays its relay.");
    }
    // From now on nothing that is still under way writes its row.
    this.#kept.delete(url);
    try {
      await this.#options.storage.commit((write) => write.delete("relays", url));
    } catch (error) {
      this.#kept.set(url, kept);
      throw error;
    }
    await this.#drop(kept);
  }

  async retry(url: string): Promise<void> {
    this.#require(url).keeper.retry();
  }

  async setClientApi(url: string, open: boolean): Promise<void> {
    await this.#change(this.#require(url), { clientApi: open });
  }

  async setWakeUp(url: string, subscription: WakeUpSubscription | null): Promise<void> {
    const kept = this.#require(url);
    const { wakeUp: _, ...row } = kept.row;
    kept.row = subscription === null ? row : { ...row, wakeUp: JSON.stringify(subscription) };
    await this.#change(kept, {});
  }

  async claimName(url: string, label: string): Promise<string> {
    const kept = this.#require(url);
    if (kept.session === undefined) throw unknown("The relay is not connected at the moment.", 503);
    const { name } = await kept.session.ask("PUT", "/name", { label });
    if (typeof name !== "string") throw unknown("The relay does not say which name it has given.", 502);
    const names = [...new Set([...kept.row.names, name])];
    await this.#change(kept, { names });
    return name;
  }

  async setAsleep(asleep: boolean): Promise<void> {
    if (this.#asleep === asleep) return;
    this.#asleep = asleep;
    const sessions = [...this.#kept.values()].flatMap(({ session }) => session ?? []);
    const told = await Promise.allSettled(sessions.map((session) => session.setAsleep(asleep)));
    for (const result of told) {
      if (result.status === "rejected") console.warn("hearth: a relay could not be told", result.reason);
    }
  }

  knowsMark(mark: string): Promise<boolean> {
    return Promise.resolve(mark === this.#mark);
  }

  /** @returns undefined where no relay can carry it */
  egress(target: EgressTarget, request: EgressRequest): ReturnType<Egress["fetch"]> | undefined {
    const link = this.#openLink();
    return link && mayGoOverRelay(target) ? askOver(link, target, request) : undefined;
  }

  close(): void {
    this.inbox.close();
    for (const kept of this.#kept.values()) void this.#drop(kept);
  }

  #openLink(): KeptLink | undefined {
    return [...this.#kept.values()].find(({ session }) => session !== undefined)?.session?.link;
  }

  #keep(url: string, row: RelayRow): Kept {
    const { serverName, key, openKeeper = browserKeepers } = this.#options;
    const kept: Kept = {
      ...{ url, row, session: undefined, state: { phase: "connecting" } },
      keeper: openKeeper({
        url,
        identity: { serverName, keyId: key.keyId, publicKey: key.publicKey, sign: key.sign },
        handler: answering({
          federation: this.#options.answerServers,
          clientApi: clientRequests({
            isLimited: this.#options.isLimited,
            ...{ fetch: this.#options.fetch, origin: this.#options.origin, mark: this.#mark },
            scheme: url.startsWith("https:") ? "https:" : "http:",
          }),
          isOpen: () => this.#kept.get(url)?.row.clientApi === true,
        }),
        onState: (state) => {
          kept.state = state;
        },
        onLink: (link, info) => this.#opened(kept, link, info),
        onEnd: () => {
          kept.session?.end();
          kept.session = undefined;
        },
      }),
    };
    this.#kept.set(url, kept);
    return kept;
  }

  #opened(kept: Kept, link: KeptLink, info: SessionOptions["info"]): void {
    if (this.#kept.get(kept.url) !== kept) return; // it was removed meanwhile
    const { storage, keys, serverName, key, now, later } = this.#options;
    kept.session?.end();
    kept.session = new RelaySession({
      ...{ url: kept.url, link, info, storage, keys: keys(), serverName, key, now, later },
      inbox: this.inbox,
      takenBack: {
        get: () => kept.row.takenBack,
        set: (number, write) => {
          kept.row = { ...kept.row, takenBack: number };
          if (write !== undefined) this.#put(write, kept);
        },
      },
      wishes: () => ({
        asleep: this.#asleep,
        clientApi: kept.row.clientApi,
        wakeUp: kept.row.wakeUp,
      }),
    });
    kept.session.start();
    this.#options.onSession();
    if (kept.row.name === info.name) return;
    kept.row = { ...kept.row, name: info.name };
    this.#store(kept).catch((error: unknown) => {
      console.warn("hearth: the name of a relay could not be stored", error);
    });
  }

  async #drop(kept: Kept): Promise<void> {
    if (this.#kept.get(kept.url) === kept) this.#kept.delete(kept.url);
    kept.session?.end();
    kept.session = undefined;
    await kept.keeper.close("This homeserver does not use the relay any more.");
  }

  async #change(kept: Kept, change: Partial<RelayRow>): Promise<void> {
    kept.row = { ...kept.row, ...change };
    await this.#store(kept);
    kept.session?.wish();
  }

  async #store(kept: Kept): Promise<void> {
    await this.#options.storage.commit((write) => this.#put(write, kept));
  }

  #put(write: Write, kept: Kept): void {
    if (this.#kept.get(kept.url) === kept) write.put("relays", kept.row, kept.url);
  }

  #require(url: string): Kept {
    const kept = this.#kept.get(url);
    if (kept === undefined) throw notFound("There is no such relay.");
    return kept;
  }

  #stateOf({ url, row, state, session }: Kept): RelayState {
    const roundTrip = state.phase === "connected" ? state.roundTrip : undefined;
    const wakeUpKey = session?.info.wake_up_key;
    return {
      ...{ url, name: row.name, added: row.added, connection: state.phase },
      words: inWords(state, session?.state, this.#options.now()),
      ...(state.phase === "connected" && { kind: state.kind }),
      ...(roundTrip !== undefined && { round_trip: roundTrip }),
      ...(state.phase === "waiting" && { retry_at: state.retryAt }),
      mail: session?.state.mail ?? "none",
      ...{ client_api: row.clientApi, names: row.names, wake_up: row.wakeUp !== undefined },
      ...(wakeUpKey !== undefined && { wake_up_key: wakeUpKey }),
    };
  }
}
