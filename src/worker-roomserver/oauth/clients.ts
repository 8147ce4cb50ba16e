import { encodeBase64Url } from "../../matrix/base64.ts";
import { canonicalBytes, canonicalJson } from "../../matrix/canonical-json.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { type ClientMetadata, clientMetadata } from "../../matrix/oauth/client-metadata.ts";
import { oauthError } from "../../matrix/oauth/errors.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage } from "../storage/api.ts";
import type { UsersForOAuth } from "../users/api.ts";
import type { ClientView, RegisteredClient } from "./api.ts";

/** A client registers before each login: half a day is long for one that nobody logs in with. */
const unusedKeptMs = 24 * 60 * 60_000;
/** Anyone can register: each app once is far fewer, and no disk is filled with this many. */
export const maxClients = 5_000;
/** Rows looked at together. */
const PAGE = 500;

export type ClientsOptions = {
  storage: Storage;
  locks: KeyedLock<string>;
  users: Pick<UsersForOAuth, "clientsInUse">;
  now: () => number;
};

/**
 * The apps that have said what they are. An app's id is the hash of that, so that one which registers again, as each
 * does before each login, is the same one.
 */
export class Clients {
  readonly #with: ClientsOptions;
  /** How many there are, once that was asked. */
  #count: number | undefined;

  constructor(options: ClientsOptions) {
    this.#with = options;
    options.storage.onRollback(() => {
      this.#count = undefined;
    });
  }

  async register(said: JsonObject): Promise<RegisteredClient> {
    const { storage, locks, now } = this.#with;
    const metadata = clientMetadata(said);
    const hash = await crypto.subtle.digest("SHA-256", canonicalBytes(metadata));
    const clientId = encodeBase64Url(new Uint8Array(hash));
    await locks.run(lock, async () => {
      const earlier = await storage.get("oauthClients", clientId);
      if (earlier !== undefined && now() - earlier.at < unusedKeptMs / 2) return; // not each time is written down
      if (earlier === undefined) await this.#checkRoom();
      await storage.commit((write) =>
        write.put("oauthClients", { json: canonicalJson(metadata), at: now() }, clientId),
      );
      if (earlier === undefined && this.#count !== undefined) this.#count += 1;
    });
    return { client_id: clientId, ...metadata };
  }

  /** @throws MatrixError invalid_client 401 */
  async get(clientId: string | undefined): Promise<ClientMetadata> {
    const row = clientId === undefined ? undefined : await this.#with.storage.get("oauthClients", clientId);
    if (row === undefined) throw oauthError("invalid_client", "The app is not registered here.");
    return JSON.parse(row.json) as ClientMetadata;
  }

  /** See OAuthForNode. */
  async *dropUnused(): AsyncGenerator<void> {
    const { storage, users, locks, now } = this.#with;
    const inUse = await users.clientsInUse();
    let range: IDBKeyRange | undefined;
    for (;;) {
      const ids = await locks.run(lock, async () => {
        const [ids, rows] = await storage.read(["oauthClients"], (tx) => {
          const store = tx.objectStore("oauthClients");
          return Promise.all([store.getAllKeys(range, PAGE), store.getAll(range, PAGE)]);
        });
        // One that came into use meanwhile has registered today.
        const unused = ids.filter((id, i) => !inUse.has(id) && now() - rows[i]!.at >= unusedKeptMs);
        if (unused.length > 0) {
          await storage.commit(
            (write) => {
              for (const id of unused) write.delete("oauthClients", id);
            },
            { relaxed: true },
          );
          this.#count = undefined;
        }
        return ids;
      });
      yield;
      const last = ids.at(-1);
      if (last === undefined || ids.length < PAGE) return;
      range = IDBKeyRange.lowerBound(last, true);
    }
  }

  async #checkRoom(): Promise<void> {
    this.#count ??= (await this.#with.storage.getAllKeys("oauthClients")).length;
    if (this.#count < maxClients) return;
    throw oauthError("temporarily_unavailable", "Too many apps have registered here lately.", 503);
  }
}

/** Whoever writes clients holds it, so that none goes that comes back at that moment. */
const lock = "clients";

export function clientView({ client_name, client_uri, tos_uri, policy_uri }: ClientMetadata): ClientView {
  return {
    name: client_name ?? new URL(client_uri).hostname,
    uri: client_uri,
    tosUri: tos_uri,
    policyUri: policy_uri,
  };
}
