import type { Requester } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Fill, Removed } from "../users/api.ts";
import type { SendTransactions } from "./api.ts";

/** In keys, for the transactions of an application service that has named no device. */
const NO_DEVICE = "";
/** Long after a client has given up sending something again. */
const KEPT_MS = 30 * 24 * 60 * 60_000;

/**
 * What sends with a transaction id were answered. A device's are read once and then kept in memory: asking the
 * disk at each send would make every write wait for the one before.
 */
export class Transactions implements SendTransactions {
  readonly #storage: Storage;
  readonly #now: () => number;
  readonly #devices = new Lru<string, Map<string, string>>(200_000, (answers) => answers.size + 1);

  readonly #loading = new Map<string, { answers: Map<string, string>; done: Promise<void> }>();

  constructor(storage: Storage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
    storage.onRollback(() => {
      this.#devices.clear();
      this.#loading.clear();
    });
  }

  /** The event that this transaction made, undefined if it is new. Call it in the lock of what it is about. */
  async find(userId: string, deviceId: string | undefined, transaction: string): Promise<string | undefined> {
    return (await this.#of(userId, deviceId ?? NO_DEVICE)).get(transaction);
  }

  record(
    write: Write,
    userId: string,
    device: string | undefined,
    transaction: string,
    eventId: string,
  ): void {
    const deviceId = device ?? NO_DEVICE;
    write.put("transactions", [eventId, this.#now()], [userId, deviceId, transaction]);
    const key = deviceKey(userId, deviceId);
    const known = this.#devices.get(key);
    (known ?? this.#loading.get(key)?.answers)?.set(transaction, eventId);
    if (known !== undefined) this.#devices.set(key, known); // it weighs more now
  }

  /** What a device has sent is its own: one that gets its id later sends anew. */
  async removal({ userId, deviceIds }: Removed): Promise<Fill> {
    return (write) => {
      for (const deviceId of deviceIds) {
        write.delete("transactions", IDBKeyRange.bound([userId, deviceId], [userId, deviceId, []]));
        const key = deviceKey(userId, deviceId);
        this.#devices.delete(key);
        this.#loading.delete(key);
      }
    };
  }

  async #of(userId: string, deviceId: string): Promise<Map<string, string>> {
    const key = deviceKey(userId, deviceId);
    for (;;) {
      const known = this.#devices.get(key);
      if (known !== undefined) return known;
      let loading = this.#loading.get(key);
      if (loading === undefined) {
        const answers = new Map<string, string>();
        loading = { answers, done: this.#load(userId, deviceId, answers) };
        this.#loading.set(key, loading);
      }
      try {
        await loading.done;
        // Unless a failed commit has made void what came in meanwhile.
        if (this.#loading.get(key) === loading) this.#devices.set(key, loading.answers);
      } finally {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
      }
    }
  }

  /** Adds what is on the disk to what may have been recorded since the reading began. */
  async #load(userId: string, deviceId: string, answers: Map<string, string>): Promise<void> {
    await this.#storage.settled();
    const range = IDBKeyRange.bound([userId, deviceId], [userId, deviceId, []]);
    const [keys, rows] = await Promise.all([
      this.#storage.getAllKeys("transactions", range),
      this.#storage.getAll("transactions", range),
    ]);
    const stale = keys.filter((_, i) => isOld(rows[i]![1], this.#now));
    if (stale.length > 0) {
      await this.#storage.commit((write) => {
        for (const key of stale) write.delete("transactions", key);
      });
    }
    for (const [i, [eventId]] of rows.entries()) {
      const transaction = keys[i]![2];
      if (!answers.has(transaction)) answers.set(transaction, eventId);
    }
  }
}

/** Which device has sent an event, and in which transaction: as it stands in the event's row. */
export const sentBy = ({ deviceId }: Requester, txnId: string): [deviceId: string, txnId: string] => [
  deviceId ?? NO_DEVICE,
  txnId,
];

/** Rows looked at together. */
const PAGE = 500;

/**
 * Removes what is too old, also of devices that never send anything again. One unit for each five hundred rows that
 * has such ones.
 */
export async function* dropOldTransactions(storage: Storage, now: () => number): AsyncGenerator<void> {
  let range: IDBKeyRange | undefined;
  for (;;) {
    const [keys, rows] = await Promise.all([
      storage.getAllKeys("transactions", range, PAGE),
      storage.getAll("transactions", range, PAGE),
    ]);
    const old = keys.filter((_, i) => isOld(rows[i]![1], now));
    if (old.length > 0) {
      await storage.commit(
        (write) => {
          for (const key of old) write.delete("transactions", key);
        },
        { relaxed: true },
      );
    }
    yield;
    const last = keys.at(-1);
    if (last === undefined || keys.length < PAGE) return;
    range = IDBKeyRange.lowerBound(last, true);
  }
}

const isOld = (at: number, now: () => number) => at < now() - KEPT_MS;

const deviceKey = (userId: string, deviceId: string) => `${userId}\u0000${deviceId}`;
