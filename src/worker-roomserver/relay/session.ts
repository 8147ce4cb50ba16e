import { LinkError } from "../../link/api.ts";
import type { RelayInfo } from "../../link/relay-api.ts";
import { domainOf } from "../../matrix/domain.ts";
import { MatrixError } from "../../matrix/errors.ts";
import { SERVER_KEYS_VALID_MS, serverKeyDocument } from "../../matrix/server-keys.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import { detailToKeyChange } from "../log/key-changes.ts";
import type { Storage } from "../storage/api.ts";
import { drain } from "./drain.ts";
import type { StoredInbox } from "./inbox.ts";
import type { KeptLink } from "./keeper.ts";
import { KeyMailbox, type KeyMailboxOptions } from "./key-mailbox.ts";
import { type AskRelay, askRelayOver } from "./relay-client.ts";

/** After something has failed while the session stays open. Milliseconds. */
const RETRY_MS = 60_000;
/** Changes of device lists gather for so long: a login makes several. Milliseconds. */
const GATHER_MS = 2_000;

/** What the owner wants of a relay, and what has become of it. Read anew each time. */
export type RelayWishes = { asleep: boolean; clientApi: boolean; wakeUp: string | undefined };

export type SessionOptions = {
  url: string;
  link: KeptLink;
  info: RelayInfo;
  storage: Pick<Storage, "getAllKeys" | "names" | "onEntries">;
  inbox: Pick<StoredInbox, "add">;
  keys: KeyMailboxOptions["keys"];
  takenBack: KeyMailboxOptions["takenBack"];
  serverName: string;
  key: SigningKey;
  wishes: () => RelayWishes;
  now: () => number;
  later: (ms: number, call: () => void) => () => void;
};

/**
 * What a node does with its relay while a session is open: takes in mail, and keeps current what the relay has of it.
 * What fails is told in `state` and tried again in a minute, or with the next session.
 */
export class RelaySession {
  readonly link: KeptLink;
  readonly info: RelayInfo;
  readonly #options: SessionOptions;
  readonly #ask: AskRelay;
  readonly #keyMailbox: KeyMailbox;
  readonly #end = new AbortController();
  readonly #timers = new Set<() => void>();
  readonly #changed = new Set<string>();
  #unsubscribe: () => void = () => undefined;
  /** What there is to publish is published in turns: nothing of an earlier one comes after a later one. */
  #turn: Promise<void> = Promise.resolve();
  readonly state: {
    mail: "none" | "coming" | "stuck";
    /** By what it is about, in sentences. */
    problems: Map<string, string>;
  } = { mail: "none", problems: new Map() };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.link = options.link;
    this.info = options.info;
    this.#ask = askRelayOver(options.link);
    this.#keyMailbox = new KeyMailbox({
      relay: options.url,
      ask: this.#ask,
      keys: options.keys,
      takenBack: options.takenBack,
    });
  }

  start(): void {
    this.#unsubscribe = this.#options.storage.onEntries((entries) => {
      for (const { topic, user, detail } of entries) {
        if (topic !== "deviceList") continue;
        const { what } = detailToKeyChange(detail);
        // What only the user sees, and what is claimed here, is nothing to others.
        if (what === "device" || what === "signing") void this.#noteChange(user);
      }
    });
    void this.#drain();
    this.wish();
    this.#publishKeys();
    this.#publishServerKeys();
  }

  /** Tells the relay what is wanted of it. */
  wish(): void {
    this.#inTurn("wishes", "It could not be told what it may do", async () => {
      const { asleep, clientApi, wakeUp } = this.#options.wishes();
      await this.#put("/presence", { asleep });
      await this.#put("/client-api", { open: clientApi });
      await this.#put("/wake-up", { subscription: wakeUp === undefined ? null : JSON.parse(wakeUp) });
    });
  }

  /** At once, before all that waits for its turn: there may be no other moment. */
  async setAsleep(asleep: boolean): Promise<void> {
    await this.#put("/presence", { asleep });
    if (!asleep) this.#publishKeys();
  }

  readonly ask: AskRelay = (...request) => this.#ask(...request);

  end(): void {
    this.#end.abort();
    this.#unsubscribe();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  async #put(path: string, body: object): Promise<void> {
    await this.#ask("PUT", path, body, this.#end.signal);
  }

  async #drain(): Promise<void> {
    const { inbox, now } = this.#options;
    try {
      await drain({
        ...{ ask: this.#ask, inbox, now, signal: this.#end.signal },
        pause: (ms) => new Promise((resolve) => this.#later(ms, resolve)),
        onMail: (mail) => {
          this.#solved("mail");
          this.state.mail = mail;
        },
      });
    } catch (error) {
      this.#failed("mail", "Mail cannot be taken in", error, () => void this.#drain());
    }
  }

  #publishKeys(): void {
    this.#inTurn("keys", "What others need for encryption could not be left there", async () => {
      this.#changed.clear();
      await this.#keyMailbox.begin(this.#end.signal);
    });
  }

  #publishServerKeys(): void {
    const { serverName, key, now } = this.#options;
    this.#inTurn("serverKeys", "This server's key could not be left there", async () => {
      const relays = await this.#options.storage.getAllKeys("relays");
      const document = await serverKeyDocument(serverName, key, now(), relays);
      await this.#put("/server-keys", { document });
    });
    this.#later(SERVER_KEYS_VALID_MS / 2, () => this.#publishServerKeys());
  }

  async #noteChange(user: number): Promise<void> {
    const userId = await this.#options.storage.names.text(user);
    // Of users elsewhere the log tells as well: what others need of them, their own server has.
    if (this.#end.signal.aborted || domainOf(userId) !== this.#options.serverName) return;
    this.#changed.add(userId);
    if (this.#changed.size > 1) return;
    this.#later(GATHER_MS, () => {
      this.#inTurn("keys", "What others need for encryption could not be left there", async () => {
        const users = [...this.#changed];
        this.#changed.clear();
        await this.#keyMailbox.update(users, this.#end.signal).catch((error: unknown) => {
          for (const changed of users) this.#changed.add(changed);
          throw error;
        });
      });
    });
  }

  #inTurn(about: string, whatFailed: string, task: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#end.signal.aborted) return;
      try {
        await task();
        this.#solved(about);
      } catch (error) {
        this.#failed(about, whatFailed, error, () => this.#inTurn(about, whatFailed, task));
      }
    });
  }

  #later(ms: number, call: () => void): void {
    if (this.#end.signal.aborted) return;
    const cancel = this.#options.later(ms, () => {
      this.#timers.delete(cancel);
      call();
    });
    this.#timers.add(cancel);
  }

  /** @param again - tries it again */
  #failed(about: string, what: string, error: unknown, again: () => void): void {
    if (this.#end.signal.aborted) return;
    // One session has given way to another: there is nothing wrong with what was asked.
    if (error instanceof LinkError) {
      this.#later(GATHER_MS, again);
      return;
    }
    if (!(error instanceof MatrixError)) console.warn(`hearth: ${this.#options.url}: ${what}`, error);
    const why = error instanceof Error ? error.message : String(error);
    if (about === "mail") this.state.mail = "stuck";
    this.state.problems.set(about, `${what}: ${why}`);
    this.#later(RETRY_MS, again);
  }

  #solved(about: string): void {
    this.state.problems.delete(about);
  }
}
