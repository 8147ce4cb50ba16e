import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { keyFromServerName } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { SigningKey } from "../../../matrix/signing.ts";
import type { Storage } from "../../storage/api.ts";
import type { ServerKeysRow } from "../../storage/schema.ts";
import type { EventComplaint, FederationClient, KeyRing } from "../api.ts";
import { askNotary } from "./ask-notary.ts";
import { checkEvents } from "./check-events.ts";
import { KeyFetcher, type Wanting } from "./key-fetcher.ts";
import { knownKey } from "./known-keys.ts";
import { StoredKeys } from "./stored-keys.ts";
import type { WantedKeys } from "./wanted-keys.ts";

export type KeyRingOptions = {
  storage: Storage;
  serverName: string;
  key: SigningKey;
  ed25519: Ed25519;
  client: Pick<FederationClient, "request">;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Is told what a server has just said of itself, its signature checked: not only keys stand there. */
  onDocument?: ((serverName: string, document: JsonObject) => void) | undefined;
};

/** How long one call gathers keys: what it has not by then may be had by a later one. */
const GATHERING_MS = 5 * 60_000;
/** Servers that one call asks at a time, fewer than may be asked in all: others have events too. */
const ASKED_AT_ONCE = 16;
/** A notary that had no key for a server is not asked for it again for so long. */
const NOTARY_AGAIN_AFTER_MS = 10 * 60_000;
const MAX_NOTARY_QUESTIONS = 10_000;

/** @see KeyRing */
export class ServerKeyRing implements KeyRing {
  readonly #options: KeyRingOptions;
  readonly #stored: StoredKeys;
  readonly #fetcher: KeyFetcher;
  /** By notary and server, when that was asked. */
  readonly #questions = new Map<string, number>();

  constructor(options: KeyRingOptions) {
    this.#options = options;
    this.#stored = new StoredKeys(options.storage);
    this.#fetcher = new KeyFetcher({ ...options, stored: this.#stored });
  }

  async keyFor(serverName: string, keyId: string, at: number): Promise<Uint8Array | undefined> {
    const proved = this.#provedKey(serverName, keyId);
    if (proved !== "to be asked") return proved;
    return (
      knownKey(await this.#stored.get(serverName), keyId, at, "requests") ??
      knownKey(await this.#fetcher.fetch(serverName, "request"), keyId, at, "requests")
    );
  }

  async checkEvents(
    events: readonly ReceivedEvent[],
    rules: RoomVersionRules,
    via?: string,
  ): Promise<(EventComplaint | undefined)[]> {
    return checkEvents(events, rules, this.#options.ed25519, (wanted) => this.#gather(wanted, via));
  }

  /**
   * What a server has published itself, as JSON text, the newest first. It is asked if that does not hold long enough.
   * @param wanting - undefined: it is not asked
   */
  async documentsOf(
    serverName: string,
    minimumValidUntil: number,
    wanting: Wanting | undefined,
  ): Promise<readonly string[]> {
    const row = await this.#stored.get(serverName);
    const holds = Object.values(row?.keys ?? {}).some(
      ({ told, validUntil }) => told === "current" && validUntil >= minimumValidUntil,
    );
    if (holds || wanting === undefined) return row?.documents ?? [];
    return (await this.#fetcher.fetch(serverName, wanting))?.documents ?? [];
  }

  /** Of names that are keys, and of this server. */
  #provedKey(serverName: string, keyId: string): Uint8Array | undefined | "to be asked" {
    const { serverName: own, key } = this.#options;
    if (serverName === own) return keyId === key.keyId ? key.publicKey : keyFromServerName(own);
    return keyFromServerName(serverName) ?? "to be asked";
  }

  /** Finds the keys that are wanted: those that are known, then of the servers, then of who has sent the events. */
  async #gather(wanted: WantedKeys, via: string | undefined): Promise<void> {
    const until = this.#options.now() + GATHERING_MS;
    const known = await Promise.all(
      wanted.servers.map((serverName) => this.#settleKnown(wanted, serverName)),
    );
    const missing = wanted.servers.filter((_, i) => known[i] === false);
    await this.#askThemselves(wanted, missing, until);
    const unsettled = missing.filter((serverName) => !wanted.isSettled(serverName));
    if (via !== undefined && unsettled.length > 0) await this.#askVia(via, wanted, unsettled);
  }

  /** By what is known already. At most one row is read. @returns whether that is all */
  async #settleKnown(wanted: WantedKeys, serverName: string): Promise<boolean> {
    const proved = this.#provedKey(serverName, "");
    if (proved === "to be asked") {
      return this.#settle(wanted, serverName, await this.#stored.get(serverName));
    }
    wanted.settle(serverName, (keyId) => this.#provedKey(serverName, keyId) as Uint8Array | undefined);
    return true;
  }

  /** @returns whether there is a key for each time at which it has signed */
  #settle(wanted: WantedKeys, serverName: string, row: ServerKeysRow | undefined): boolean {
    wanted.settle(serverName, (keyId, at) => knownKey(row, keyId, at, "events"));
    return wanted.isSettled(serverName);
  }

  async #askThemselves(wanted: WantedKeys, servers: readonly string[], until: number): Promise<void> {
    const queue = servers.values();
    const work = async () => {
      for (const serverName of queue) {
        if (this.#options.now() > until) return;
        this.#settle(wanted, serverName, await this.#fetcher.fetch(serverName, "event"));
      }
    };
    await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, servers.length) }, work));
  }

  async #askVia(via: string, wanted: WantedKeys, servers: readonly string[]): Promise<void> {
    const now = this.#options.now();
    const asked = servers.filter((serverName) => {
      const question = JSON.stringify([via, serverName]);
      if (now - (this.#questions.get(question) ?? 0) < NOTARY_AGAIN_AFTER_MS) return false;
      this.#questions.delete(question);
      this.#questions.set(question, now);
      return serverName !== via;
    });
    for (const [question] of this.#questions) {
      if (this.#questions.size <= MAX_NOTARY_QUESTIONS) break;
      this.#questions.delete(question);
    }
    if (asked.length === 0) return;
    const questions = new Map(asked.map((serverName) => [serverName, wanted.of(serverName)]));
    const keyFor = this.keyFor.bind(this);
    await askNotary(via, questions, { ...this.#options, stored: this.#stored, keyFor });
    for (const serverName of asked) this.#settle(wanted, serverName, await this.#stored.get(serverName));
  }
}
