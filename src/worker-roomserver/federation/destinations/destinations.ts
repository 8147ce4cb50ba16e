import type { Storage } from "../../storage/api.ts";
import type { DestinationRow } from "../../storage/schema.ts";
import type { DestinationState, Destinations } from "../api.ts";
import { type BackOff, backOffMs, usualBackOff } from "./back-off.ts";

export type DestinationsOptions = {
  storage: Storage;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
  random: () => number;
  backOff?: BackOff | undefined;
};

type Entry = {
  row: DestinationRow;
  /** Keeps it from being called ready when its time has come. */
  cancel: () => void;
  /** When it was last let be tried before its time. */
  wokenAt: number;
  /** `lastSuccess` as it is on the disk. */
  writtenSuccess: number;
};

/** Changes wait so long for others, to be written with them. What a crash takes is one attempt more. */
const WRITE_AFTER_MS = 2000;
/** How far `lastSuccess` may be behind on the disk: to succeed costs nothing. */
const SUCCESS_EVERY_MS = 60 * 60_000;
/** Servers in memory; those that have nothing to be remembered go first. */
const MAX_HELD = 5000;

const unknownYet: DestinationRow = {
  failures: 0,
  failingSince: 0,
  retryAt: 0,
  lastSuccess: 0,
  lastError: "",
};
const MAX_ERROR_LENGTH = 300;

/** @see Destinations */
export class StoredDestinations implements Destinations {
  readonly #options: DestinationsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Entry>>();
  readonly #dirty = new Set<string>();
  readonly #listeners = new Set<(serverName: string) => void>();
  /** Those that could not be asked since there was a way out. */
  readonly #notAsked = new Set<string>();
  #wayOpenedAt = 0;
  #cancelWrite: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DestinationsOptions) {
    this.#options = options;
  }

  /** From now on, listeners are told of servers that were backed off from before the last restart too. One store is read. */
  async start(): Promise<void> {
    for (const [serverName, row] of await this.#stored()) {
      if (row.failures > 0 && !this.#isClosed) this.#hold(serverName, row);
    }
  }

  async state(serverName: string): Promise<DestinationState> {
    return { serverName, ...(await this.#entry(serverName)).row };
  }

  async isReady(serverName: string): Promise<boolean> {
    return (await this.#entry(serverName)).row.retryAt <= this.#options.now();
  }

  succeeded(serverName: string): void {
    this.#change(serverName, (entry) => {
      const { row } = entry;
      const lastSuccess = this.#options.now();
      const wasFailing = row.failures > 0;
      entry.row = { ...unknownYet, lastSuccess };
      entry.cancel();
      if (wasFailing || lastSuccess - entry.writtenSuccess >= SUCCESS_EVERY_MS) this.#write(serverName);
      if (wasFailing) this.#ready(serverName);
    });
  }

  failed(serverName: string, why: string, askedAt = this.#options.now()): void {
    this.#change(serverName, (entry) => {
      const { now, random, backOff = usualBackOff } = this.#options;
      const { row } = entry;
      // One failure, however many requests were under way; and none if it has answered others meanwhile.
      if (row.retryAt > now() || row.lastSuccess > askedAt) return;
      const failures = row.failures + 1;
      entry.row = {
        ...row,
        failures,
        failingSince: row.failingSince || now(),
        retryAt: now() + backOffMs(backOff, failures, random()),
        lastError: why.slice(0, MAX_ERROR_LENGTH),
      };
      this.#awaitTime(serverName, entry);
      this.#write(serverName);
    });
  }

  notAsked(serverName: string, askedAt: number): void {
    if (askedAt <= this.#wayOpenedAt) {
      this.#ready(serverName);
      return;
    }
    // Who waits for one that has no place here comes to it in its own time.
    if (this.#notAsked.size < MAX_HELD) this.#notAsked.add(serverName);
  }

  wayIsOpen(): void {
    this.#wayOpenedAt = this.#options.now();
    const servers = [...this.#notAsked];
    this.#notAsked.clear();
    for (const serverName of servers) this.#ready(serverName);
  }

  heardFrom(serverName: string): void {
    this.#change(serverName, (entry) => {
      const { now, backOff = usualBackOff } = this.#options;
      // It may send and still not be reached: then each request of it would lead to an attempt.
      if (entry.row.retryAt <= now() || now() - entry.wokenAt < backOff.first) return;
      entry.wokenAt = now();
      this.#wake(serverName, entry);
    });
  }

  retryNow(serverName: string): void {
    this.#change(serverName, (entry) => {
      if (entry.row.retryAt > this.#options.now()) this.#wake(serverName, entry);
    });
  }

  onReady(call: (serverName: string) => void): () => void {
    const listener = (serverName: string) => call(serverName);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async all(): Promise<DestinationState[]> {
    const rows = await this.#stored();
    for (const [serverName, { row }] of this.#entries) {
      if (rows.has(serverName) || row.failures > 0 || row.lastSuccess > 0) rows.set(serverName, row);
    }
    const names = [...rows.keys()].sort();
    return names.map((serverName) => ({ serverName, ...(rows.get(serverName) ?? unknownYet) }));
  }

  /** What is not written yet is queued. */
  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#entries.values()) cancel();
    this.#listeners.clear();
    this.#flush();
  }

  async #stored(): Promise<Map<string, DestinationRow>> {
    const { storage } = this.#options;
    const [names, rows] = await Promise.all([
      storage.getAllKeys("destinations"),
      storage.getAll("destinations"),
    ]);
    return new Map(names.map((serverName, i) => [serverName, rows[i] ?? unknownYet]));
  }

  async #entry(serverName: string): Promise<Entry> {
    const held = this.#entries.get(serverName);
    if (held !== undefined) return held;
    const loading =
      this.#loading.get(serverName) ??
      this.#options.storage
        .get("destinations", serverName)
        .then((row = unknownYet) => this.#hold(serverName, row))
        .finally(() => this.#loading.delete(serverName));
    this.#loading.set(serverName, loading);
    return loading;
  }

  #hold(serverName: string, row: DestinationRow): Entry {
    const held = this.#entries.get(serverName);
    if (held !== undefined) return held;
    const entry: Entry = {
      ...{ row, cancel: () => undefined, wokenAt: 0, writtenSuccess: row.lastSuccess },
    };
    this.#entries.set(serverName, entry);
    if (row.failures > 0) this.#awaitTime(serverName, entry);
    this.#makeRoom();
    return entry;
  }

  #makeRoom(): void {
    if (this.#entries.size <= MAX_HELD) return;
    for (const [serverName, { row }] of this.#entries) {
      if (row.failures > 0 || this.#dirty.has(serverName)) continue;
      this.#entries.delete(serverName);
      if (this.#entries.size <= MAX_HELD) return;
    }
  }

  /** At once where the row is in memory, so that who asks next sees it. */
  #change(serverName: string, change: (entry: Entry) => void): void {
    if (this.#isClosed) return;
    const held = this.#entries.get(serverName);
    if (held !== undefined) change(held);
    else {
      this.#entry(serverName).then(change, (error: unknown) => {
        console.warn("hearth: what is known of another server could not be read", error);
      });
    }
  }

  #awaitTime(serverName: string, entry: Entry): void {
    const { now, later } = this.#options;
    entry.cancel();
    entry.cancel = later(Math.max(0, entry.row.retryAt - now()), () => {
      // Timers may be early.
      if (entry.row.retryAt > now()) this.#awaitTime(serverName, entry);
      else if (entry.row.failures > 0) this.#ready(serverName);
    });
  }

  #wake(serverName: string, entry: Entry): void {
    entry.cancel();
    entry.row = { ...entry.row, retryAt: 0 };
    this.#write(serverName);
    this.#ready(serverName);
  }

  #ready(serverName: string): void {
    for (const listener of [...this.#listeners]) listener(serverName);
  }

  #write(serverName: string): void {
    this.#dirty.add(serverName);
    this.#cancelWrite ??= this.#options.later(WRITE_AFTER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    if (this.#dirty.size === 0) return;
    const { storage } = this.#options;
    const written = storage.commit(
      (write) => {
        for (const serverName of this.#dirty) {
          const entry = this.#entries.get(serverName);
          if (entry === undefined) continue;
          write.put("destinations", entry.row, serverName);
          entry.writtenSuccess = entry.row.lastSuccess;
        }
      },
      { relaxed: true },
    );
    this.#dirty.clear();
    written.catch((error: unknown) => {
      console.warn("hearth: what is known of other servers could not be written", error);
    });
  }
}
