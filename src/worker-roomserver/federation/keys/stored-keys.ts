import type { Storage } from "../../storage/api.ts";
import type { ServerKeysRow } from "../../storage/schema.ts";

/** Servers whose keys are held in memory; a row has some kilobytes. */
const MAX_HELD = 1000;

/** What is known of servers' keys, on the disk and, of those that were asked for last, in memory. */
export class StoredKeys {
  readonly #storage: Storage;
  readonly #held = new Map<string, ServerKeysRow | undefined>();

  constructor(storage: Storage) {
    this.#storage = storage;
    // What was not written is not known: the server is asked again.
    storage.onRollback(() => this.#held.clear());
  }

  async get(serverName: string): Promise<ServerKeysRow | undefined> {
    if (this.#held.has(serverName)) return this.#hold(serverName, this.#held.get(serverName));
    const row = await this.#storage.get("serverKeys", serverName);
    // It may have been changed while it was read.
    return this.#hold(serverName, this.#held.has(serverName) ? this.#held.get(serverName) : row);
  }

  /** Changes a row by what it is at that moment. Resolves once it is on the disk. */
  async change(
    serverName: string,
    change: (row: ServerKeysRow | undefined) => ServerKeysRow,
  ): Promise<ServerKeysRow> {
    const read = await this.get(serverName);
    // Another change may have come while it was read.
    const row = change(this.#held.has(serverName) ? this.#held.get(serverName) : read);
    this.#hold(serverName, row);
    await this.#storage.commit((write) => write.put("serverKeys", row, serverName), { relaxed: true });
    return row;
  }

  #hold(serverName: string, row: ServerKeysRow | undefined): ServerKeysRow | undefined {
    this.#held.delete(serverName);
    this.#held.set(serverName, row);
    const [oldest] = this.#held.keys();
    if (this.#held.size > MAX_HELD && oldest !== undefined) this.#held.delete(oldest);
    return row;
  }
}
