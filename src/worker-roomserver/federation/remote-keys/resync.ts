import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import type { Storage } from "../../storage/api.ts";
import { type Destinations, type FederationClient, FederationError } from "../api.ts";
import type { RemoteLists } from "./lists.ts";
import { readUserDevices } from "./read-keys.ts";

export type ResyncOptions = {
  storage: Pick<Storage, "fromIndex" | "getAll">;
  client: Pick<FederationClient, "request">;
  destinations: Pick<Destinations, "onReady" | "isReady">;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
  ed25519: Ed25519;
  lists: RemoteLists;
};

const TIMEOUT_MS = 20_000;
/** A thousand devices. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Who is there and does not tell now, or could not be asked for what is here, is asked again after that. */
const AGAIN_AFTER_MS = 5 * 60_000;
/** Stale lists of a server that are read at once. */
const PAGE = 50;
/** A list that changes each time while it is asked for waits for its next change. */
const ATTEMPTS = 3;
/** Servers that are asked at a time. What waits for a slow one waits for that one alone, as long as not all are slow. */
const AT_ONCE = 20;

/**
 * Asks for the lists that are stale, those of a server one after the other. Which ones is on the disk: what is not there
 * when the page goes is asked for when it is back. A server that is away is asked when it is there again; a list that is
 * answered with nonsense, when it changes the next time, or at the next opening.
 */
export class Resync {
  readonly #with: ResyncOptions;
  /** Servers that are being asked. `again`: something has become stale since. */
  readonly #running = new Map<string, { again: boolean }>();
  readonly #waiting = new Set<string>();
  readonly #timers = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  constructor(options: ResyncOptions) {
    this.#with = options;
    options.lists.onStale((server) => this.wake(server));
    this.#unsubscribe = options.destinations.onReady((server) => this.wake(server));
  }

  /** Takes up what an earlier leader has left. One range of an index. */
  async start(): Promise<void> {
    for (const server of await this.#staleServers()) this.wake(server);
  }

  wake(server: string): void {
    const running = this.#running.get(server);
    if (running !== undefined) running.again = true;
    else this.#waiting.add(server);
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const stop of this.#timers) stop();
  }

  async #staleServers(): Promise<Set<string>> {
    const servers = new Set<string>();
    let last = "";
    for (;;) {
      // The first of the next server: rows of an index are in the order of its keys.
      const range = IDBKeyRange.lowerBound(last, true);
      const [row] = await this.#with.storage.fromIndex("remoteDeviceLists", "stale", range, 1);
      if (row?.stale === undefined) return servers;
      last = row.stale;
      servers.add(last);
    }
  }

  #next(): void {
    for (const server of this.#waiting) {
      if (this.#isClosed || this.#running.size >= AT_ONCE) return;
      this.#waiting.delete(server);
      const state = { again: false };
      this.#running.set(server, state);
      this.#run(server, state)
        .catch((error: unknown) => {
          // What was under way when the page went is on the disk still.
          if (!this.#isClosed)
            console.warn(`hearth: devices of users of ${server} are asked for later`, error);
        })
        .finally(() => {
          this.#running.delete(server);
          this.#next();
        });
    }
  }

  async #run(server: string, state: { again: boolean }): Promise<void> {
    do {
      state.again = false;
      const failed = new Set<string>();
      for (;;) {
        const range = IDBKeyRange.only(server);
        const { storage } = this.#with;
        const rows = await storage.fromIndex("remoteDeviceLists", "stale", range, PAGE + failed.size);
        const users = rows.map(({ userId }) => userId).filter((userId) => !failed.has(userId));
        if (users.length === 0) break;
        for (const userId of users) {
          if (this.#isClosed) return;
          const outcome = await this.#renew(server, userId);
          if (outcome === "away") return this.#returnTo(server);
          if (outcome === "failed") failed.add(userId);
        }
      }
    } while (state.again && !this.#isClosed);
  }

  /** Of who is backed off from it is told when that is over, and of others nobody tells. */
  async #returnTo(server: string): Promise<void> {
    const { destinations, later } = this.#with;
    if (!(await destinations.isReady(server))) return;
    const stop = later(AGAIN_AFTER_MS, () => {
      this.#timers.delete(stop);
      this.wake(server);
    });
    this.#timers.add(stop);
  }

  async #renew(server: string, userId: string): Promise<"done" | "failed" | "away"> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await this.#ask(server, userId);
      if (outcome !== "again") return outcome;
    }
    return "failed";
  }

  async #ask(server: string, userId: string): Promise<"done" | "again" | "failed" | "away"> {
    const { client, lists, ed25519 } = this.#with;
    const { asked, end } = lists.asking(userId);
    try {
      const { json } = await client.request({
        ...{ method: "GET", destination: server, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES },
        uri: `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`,
      });
      const keys = await readUserDevices(userId, json, ed25519);
      if (keys === undefined) return "failed";
      if (!(await lists.keep(userId, keys, asked))) return "again";
      return "done";
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (error.failure === "invalid" || error.failure === "tooLarge") return "failed";
      if (error.failure !== "answered" || (error.status ?? 500) >= 500 || error.status === 429) return "away";
      // There is no such user, or not any more: whoever still wants to know asks each time.
      if (error.status === 404) await lists.drop(userId);
      return error.status === 404 ? "done" : "failed";
    } finally {
      end();
    }
  }
}
