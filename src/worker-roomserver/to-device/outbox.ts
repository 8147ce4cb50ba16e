import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Position } from "../storage/schema.ts";
import type { OutboxMessage } from "./api.ts";

/**
 * What may wait for one server, in rows of up to 64 KiB, which mostly have some hundred bytes for each device: a server
 * that never comes back must not fill the disk. Of more, the oldest goes.
 */
const MOST_WAITING = 10_000;
const LOOK_EVERY = 500;

/** What waits for one server, or what of it comes after a position: an array sorts after any number. */
const rangeOfServer = (server: string, after: Position = 0) =>
  IDBKeyRange.bound([server, after], [server, []], true);

/** Keeps what waits for other servers within its bound, which it may pass by `LOOK_EVERY` for each leader there was. */
export class OutboxBounds {
  readonly #storage: Storage;
  /** Rows put since the last look. */
  readonly #put = new Lru<string, number>(10_000);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Call it with the servers of rows that were stored. A failure is nobody's: the next look comes. */
  async sent(servers: readonly string[]): Promise<void> {
    for (const server of servers) {
      const put = (this.#put.get(server) ?? 0) + 1;
      this.#put.set(server, put < LOOK_EVERY ? put : 0);
      if (put < LOOK_EVERY) continue;
      try {
        await this.#look(server);
      } catch (error) {
        console.warn("hearth: what waits for another server could not be cut to its bound", error);
      }
    }
  }

  async #look(server: string): Promise<void> {
    const keys = await this.#storage.getAllKeys("toDeviceOutbox", rangeOfServer(server));
    if (keys.length <= MOST_WAITING) return;
    await this.#storage.commit(
      (write) => {
        for (const key of keys.slice(0, keys.length - MOST_WAITING)) write.delete("toDeviceOutbox", key);
      },
      { relaxed: true },
    );
  }
}

/** @see ToDeviceOutbox */
export async function waitingFor(
  storage: Storage,
  server: string,
  after: Position,
  limit: number,
): Promise<OutboxMessage[]> {
  const range = rangeOfServer(server, after);
  const [keys, rows] = await Promise.all([
    storage.getAllKeys("toDeviceOutbox", range, limit),
    storage.getAll("toDeviceOutbox", range, limit),
  ]);
  return rows.map(({ type, sender, messageId, json }, i) => ({
    position: keys[i]![1],
    content: { sender, type, message_id: messageId, messages: JSON.parse(json) },
  }));
}

/** @see ToDeviceOutbox */
export function sent(write: Write, server: string, upTo: Position): void {
  write.delete("toDeviceOutbox", IDBKeyRange.bound([server], [server, upTo]));
}
