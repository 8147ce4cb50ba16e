import { equalBytes } from "../../../matrix/ed25519-rules.ts";
import { invalidParam, MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { relayUrl } from "../../../matrix/relay-url.ts";
import { readServerKeys, relaysInServerKeys } from "../../../matrix/server-keys.ts";
import { keyFromServerName } from "../../../matrix/server-names.ts";
import { LeaderFenced } from "../../storage/errors.ts";
import { Lru } from "../../storage/lru.ts";
import type { RelaysOfServerRow } from "../../storage/schema.ts";
import { FederationError } from "../api.ts";
import type { FederationContext } from "../context.ts";

export type RelaysOptions = Pick<FederationContext, "storage" | "client" | "ed25519" | "now">;

/** What is known of a server's relays is read from it again after that. */
const FRESH_MS = 24 * 60 * 60_000;
const KEPT_SERVERS = 10_000;
/** As many as a server may name itself: a transaction goes to all of them. */
const MOST_BY_OWNER = 8;
/** The document is one of a few hundred bytes. */
const MAX_DOCUMENT = 64 * 1024;

const nothing: RelaysOfServerRow = { owner: [], named: [], readAt: 0 };

/** By what relays other servers can be reached when they cannot be themselves. */
export class RelaysOfServers {
  readonly #with: RelaysOptions;
  readonly #rows = new Lru<string, RelaysOfServerRow>(KEPT_SERVERS);
  readonly #reading = new Set<string>();

  constructor(options: RelaysOptions) {
    this.#with = options;
    options.storage.onRollback(() => this.#rows.clear());
  }

  /** Their URLs, each once: what the owner knows, what the server says, and where its name says it is at home. */
  async of(serverName: string): Promise<string[]> {
    const { owner, named } = await this.#row(serverName);
    const home = homeRelay(serverName);
    return [...new Set([...owner, ...named, ...(home === undefined ? [] : [home])])];
  }

  /**
   * Relays that the owner knows a server to have.
   * @throws MatrixError M_INVALID_PARAM 400 for what is no address of a relay
   */
  async setByOwner(serverName: string, urls: readonly string[]): Promise<void> {
    if (urls.length > MOST_BY_OWNER) throw invalidParam(`A server has at most ${MOST_BY_OWNER} relays here.`);
    const owner = [...new Set(urls.map(relayUrl))];
    await this.#change(serverName, (row) => ({ ...row, owner }));
  }

  /** The servers of which the owner knows relays. Reads all rows. */
  async knownByOwner(): Promise<string[]> {
    const [names, rows] = await this.#with.storage.read(["relaysOfServers"], (tx) => {
      const store = tx.objectStore("relaysOfServers");
      return Promise.all([store.getAllKeys(), store.getAll()]);
    });
    return names.filter((_, i) => rows[i]!.owner.length > 0);
  }

  /**
   * Takes from a server's key document, the signature of which has been checked, which relays it names. Writes nothing for
   * servers that name none, as most, or those that are known.
   * @param document - of that server
   */
  async learn(serverName: string, document: JsonObject): Promise<void> {
    const named = relaysInServerKeys(document).flatMap(checked);
    const before = await this.#row(serverName);
    if (JSON.stringify(before.named) === JSON.stringify(named)) return;
    await this.#change(serverName, (row) => ({ ...row, named, readAt: this.#with.now() }));
  }

  /**
   * Reads the key document of a server that is there, once a day, where nobody else has a reason to: its name is its
   * key. One request, which nobody waits for; whatever comes of it, the next is a day later.
   */
  readInTime(serverName: string): void {
    const key = keyFromServerName(serverName);
    if (key === undefined || this.#reading.has(serverName)) return;
    this.#reading.add(serverName);
    this.#read(serverName, key)
      .catch((error: unknown) => {
        if (error instanceof LeaderFenced) return;
        console.error(`hearth: relays of ${serverName} are not noted`, error);
      })
      .finally(() => this.#reading.delete(serverName));
  }

  async #read(serverName: string, key: Uint8Array): Promise<void> {
    const { now, client, ed25519 } = this.#with;
    const { readAt } = await this.#row(serverName);
    if (now() - readAt < FRESH_MS) return;
    try {
      const { json } = await client.request({
        ...{ method: "GET", destination: serverName, uri: "/_matrix/key/v2/server", maxBytes: MAX_DOCUMENT },
      });
      const { keys } = await readServerKeys(json, serverName, ed25519);
      const isItsOwn = [...keys.values()].some((found) => equalBytes(found, key));
      const named = isItsOwn && isJsonObject(json) ? relaysInServerKeys(json).flatMap(checked) : [];
      await this.#change(serverName, (row) => ({ ...row, named, readAt: now() }));
    } catch (error) {
      // It has gone, or what it says is no key document. What it said before stands.
      if (!(error instanceof FederationError || error instanceof MatrixError)) throw error;
      await this.#change(serverName, (row) => ({ ...row, readAt: now() }));
    }
  }

  async #row(serverName: string): Promise<RelaysOfServerRow> {
    const known = this.#rows.get(serverName);
    if (known !== undefined) return known;
    const row = (await this.#with.storage.get("relaysOfServers", serverName)) ?? nothing;
    const meanwhile = this.#rows.get(serverName) ?? row;
    this.#rows.set(serverName, meanwhile);
    return meanwhile;
  }

  async #change(serverName: string, to: (row: RelaysOfServerRow) => RelaysOfServerRow): Promise<void> {
    await this.#row(serverName);
    const { storage } = this.#with;
    await storage.commit((write) => {
      const row = to(this.#rows.get(serverName) ?? nothing);
      this.#rows.set(serverName, row);
      write.put("relaysOfServers", row, serverName);
    });
  }
}

/** A node whose name is `<key>.<relay>` is at home there. */
function homeRelay(serverName: string): string | undefined {
  if (keyFromServerName(serverName) === undefined) return undefined;
  const dot = serverName.indexOf(".");
  return dot === -1 ? undefined : checked(serverName.slice(dot + 1))[0];
}

/** Others may write what they like; and nothing of this machine is for them to name. */
function checked(text: string): string[] {
  try {
    const url = relayUrl(text);
    return url.startsWith("https:") ? [url] : [];
  } catch (error) {
    if (error instanceof MatrixError) return [];
    throw error;
  }
}
