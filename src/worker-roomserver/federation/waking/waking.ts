import type { Storage } from "../../storage/api.ts";
import { type Destinations, type FederationClient, FederationError } from "../api.ts";

export type WakingOptions = {
  storage: Pick<Storage, "get" | "commit" | "onEntries" | "epoch">;
  serverName: string;
  client: Pick<FederationClient, "request">;
  destinations: Pick<Destinations, "state">;
  /** Whether others can reach this server now. */
  isReachable: () => Promise<boolean>;
  /** Other servers that share a room with it, one room after the other; each may come several times. */
  servers: () => AsyncIterable<string>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
  random: () => number;
};

/** How often it is looked whether this server can be reached, and how often that is written down. Milliseconds. */
const LOOK_MS = 60_000;
const WRITE_MS = 5 * 60_000;
/**
 * Who was away for less has missed nothing for long: others try again after a minute, or ten. As what is written may be
 * five minutes old, it is more than that.
 */
const AWAY_MS = 15 * 60_000;
/** What waits here for others goes first, as it says the same. */
const FIRST_MS = { least: 20_000, most: 60_000 };
/** Between one and the next, so that it takes ten minutes for all: nothing of it is urgent. */
const BETWEEN_MS = { least: 500, most: 1_500 };
const MOST_SERVERS = 500;
const TIMEOUT_MS = 15_000;

/** Key in `meta` of when others could last reach this server, in milliseconds since 1970. */
const ROW = "federation reachable";

/**
 * Says that this server is back, when others could not reach it for a while. There is no endpoint for that; but who has
 * tried in vain and waits, up to a day, tries again as soon as anything comes from here that is signed. So each gets a
 * transaction with nothing in it, unless something else went there already, or something came from there: then it has
 * not given up.
 */
export class Waking {
  readonly #with: WakingOptions;
  /** Servers that something has come from since this server is back. */
  readonly #heard = new Set<string>();
  /** When others could reach it last; undefined before that was read, or if they never could. */
  #reachableAt: number | undefined;
  #writtenAt: number | undefined;
  #stop: () => void = () => undefined;
  #unsubscribe: () => void = () => undefined;
  #isClosed = false;

  constructor(options: WakingOptions) {
    this.#with = options;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#unsubscribe = this.#with.storage.onEntries((entries) => {
      for (const { topic, detail } of entries) if (topic === "mail") this.heardFrom(detail);
    });
    this.#after(0, () => this.#look());
  }

  heardFrom(server: string): void {
    if (this.#heard.size < MOST_SERVERS) this.#heard.add(server);
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#stop();
  }

  #after(ms: number, step: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#stop = this.#with.later(ms, () => {
      step().catch((error: unknown) => {
        if (this.#isClosed) return;
        console.warn("hearth: other servers are not told that this one is back", error);
        this.#after(LOOK_MS, () => this.#look());
      });
    });
  }

  async #look(): Promise<void> {
    const { storage, now, isReachable, random } = this.#with;
    if (await isReachable()) {
      // What is written is lazy, so it is read in the store only once.
      const before = this.#reachableAt ?? ((await storage.get("meta", ROW)) as number | undefined);
      this.#reachableAt = now();
      if (Math.abs(now() - (this.#writtenAt ?? 0)) >= WRITE_MS) this.#write();
      // A server that is new has been missed by nobody. Of a clock that was put back nothing follows.
      const wasAway = before !== undefined && now() - before >= AWAY_MS;
      if (wasAway) {
        const backAt = now();
        this.#after(between(FIRST_MS, random()), async () => this.#greet(await this.#whom(), backAt));
        return;
      }
    } else this.#heard.clear();
    this.#after(LOOK_MS, () => this.#look());
  }

  #write(): void {
    const at = this.#with.now();
    this.#writtenAt = at;
    this.#with.storage
      .commit((write) => write.put("meta", at, ROW), { lazy: true })
      .catch((error: unknown) => {
        if (!this.#isClosed) console.warn("hearth: that this server can be reached is not noted", error);
      });
  }

  async #whom(): Promise<string[]> {
    const { servers, serverName, random } = this.#with;
    const found = new Set<string>();
    for await (const server of servers()) {
      if (server !== serverName) found.add(server);
      if (found.size >= MOST_SERVERS || this.#isClosed) break;
    }
    // Where many homeservers wake at the same time, they do not come to the same server together.
    return [...found]
      .map((server) => ({ server, order: random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ server }) => server);
  }

  async #greet(servers: string[], backAt: number): Promise<void> {
    let isAsked = false;
    while (servers.length > 0 && !isAsked && !this.#isClosed) {
      isAsked = await this.#greetOne(servers.pop()!, backAt);
    }
    if (servers.length > 0) {
      this.#after(between(BETWEEN_MS, this.#with.random()), () => this.#greet(servers, backAt));
      return;
    }
    this.#after(LOOK_MS, () => this.#look());
  }

  /** @returns whether it was necessary */
  async #greetOne(destination: string, backAt: number): Promise<boolean> {
    const { client, destinations, serverName, storage, now, random } = this.#with;
    const { lastSuccess, retryAt } = await destinations.state(destination);
    if (this.#heard.has(destination) || lastSuccess > backAt || retryAt > now()) return false;
    const id = `${storage.epoch}-${now()}-back-${Math.floor(random() * 2 ** 32).toString(36)}`;
    try {
      await client.request({
        ...{ method: "PUT", destination, timeoutMs: TIMEOUT_MS },
        uri: `/_matrix/federation/v1/send/${id}`,
        content: { origin: serverName, origin_server_ts: now(), pdus: [], edus: [] },
      });
    } catch (error) {
      // Who is not there, or does not want it, waits for nothing from here.
      if (!(error instanceof FederationError)) throw error;
    }
    return true;
  }
}

const between = ({ least, most }: { least: number; most: number }, random: number) =>
  Math.round(least + (most - least) * random);
