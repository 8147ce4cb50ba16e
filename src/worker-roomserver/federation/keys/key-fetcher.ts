import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { readServerKeys } from "../../../matrix/server-keys.ts";
import type { ServerKeysRow } from "../../storage/schema.ts";
import { type FederationClient, FederationError } from "../api.ts";
import { Gate } from "../client/gate.ts";
import { afterOwnWord } from "./known-keys.ts";
import type { StoredKeys } from "./stored-keys.ts";

/**
 * For whom a server is asked: a request that says to come from it, an event that it has signed, or another server that
 * takes this one for a notary. Each has its own queue, so that a stranger who names a thousand servers that do not answer
 * holds up nobody who comes for something else.
 */
export type Wanting = "request" | "event" | "notary";

export type KeyFetcherOptions = {
  client: Pick<FederationClient, "request">;
  stored: StoredKeys;
  ed25519: Ed25519;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Is told what a server has just said of itself, its signature checked: not only keys stand there. */
  onDocument?: ((serverName: string, document: JsonObject) => void) | undefined;
};

/** Bytes of a key document; real ones have some hundreds. */
export const MAX_DOCUMENT_BYTES = 64 * 1024;
/** For a whole answer of some hundred bytes. */
const TIMEOUT_MS = 10_000;
/** Who has just been asked is not asked again, though a key is missing: anybody can make one up. */
const AGAIN_AFTER_MS = 60_000;
/**
 * How long a server that did not answer is left alone. A request says that it is there, so that it is believed sooner; an
 * event may be years old, and its server gone.
 */
const AFTER_FAILURE_MS = { request: 60_000, event: 10 * 60_000, notary: 10 * 60_000 } as const;
const MAX_FAILURES = 10_000;

/** Asks servers themselves for their keys, each once for all that wait. */
export class KeyFetcher {
  readonly #options: KeyFetcherOptions;
  readonly #gates = { request: new Gate(16, 256), event: new Gate(48, 10_000), notary: new Gate(8, 64) };
  readonly #asking = new Map<string, Promise<ServerKeysRow | undefined>>();
  /** When they failed to answer, the last one last. */
  readonly #failedAt = new Map<string, number>();

  constructor(options: KeyFetcherOptions) {
    this.#options = options;
  }

  /**
   * Asks a server, unless that was tried just now.
   * @returns what is known then; undefined where nothing is. Throws nothing of what the server does.
   */
  async fetch(serverName: string, wanting: Wanting): Promise<ServerKeysRow | undefined> {
    const running = this.#asking.get(serverName);
    if (running !== undefined) return running;
    const { stored, now } = this.#options;
    const row = await stored.get(serverName);
    const hasFailed = now() - (this.#failedAt.get(serverName) ?? 0) < AFTER_FAILURE_MS[wanting];
    if (hasFailed || now() - (row?.askedAt ?? 0) < AGAIN_AFTER_MS) return row;
    return this.#asking.get(serverName) ?? this.#begin(serverName, wanting, row);
  }

  #begin(serverName: string, wanting: Wanting, row: ServerKeysRow | undefined) {
    const asking = this.#gates[wanting]
      .run(() => this.#ask(serverName, wanting))
      .then((found) => found ?? row)
      .finally(() => this.#asking.delete(serverName));
    this.#asking.set(serverName, asking);
    return asking;
  }

  async #ask(serverName: string, wanting: Wanting): Promise<ServerKeysRow | undefined> {
    const { client, stored, ed25519, now, onDocument } = this.#options;
    try {
      const { json, text } = await client.request({
        ...{ method: "GET", destination: serverName, uri: "/_matrix/key/v2/server" },
        ...{ timeoutMs: TIMEOUT_MS, maxBytes: MAX_DOCUMENT_BYTES },
        // Who sends requests is there, whatever was before.
        evenBackedOff: wanting === "request" ? "yes" : "no",
      });
      const read = await readServerKeys(json, serverName, ed25519);
      this.#failedAt.delete(serverName);
      const row = await stored.change(serverName, (before) => afterOwnWord(before, read, text, now()));
      if (isJsonObject(json)) onDocument?.(serverName, json);
      return row;
    } catch (error) {
      // Whatever a stranger answers is no fault of this server's.
      if (!(error instanceof FederationError) && !(error instanceof MatrixError)) throw error;
      const isNoAnswer = error instanceof FederationError && (error.isOurs || error.failure === "backingOff");
      if (!isNoAnswer) this.#remember(serverName);
      return undefined;
    }
  }

  #remember(serverName: string): void {
    this.#failedAt.delete(serverName);
    this.#failedAt.set(serverName, this.#options.now());
    const [oldest] = this.#failedAt.keys();
    if (this.#failedAt.size > MAX_FAILURES && oldest !== undefined) this.#failedAt.delete(oldest);
  }
}
