import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { OutboxRow, Position } from "../storage/schema.ts";

/**
 * What may wait for one server, in rows of up to 64 KiB, which mostly have some hundred bytes for each device: a server
 * that never comes back must not fill the disk. Of more, the oldest goes.
 */
const MOST_WAITING = 10_000;
const LOOK_EVERY = 500;

/** What waits for one server, or what of it comes after a position: an array sorts after any number. */
export const rangeOfServer = (server: string, after: Position = 0) =>
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

/** The EDU of a row. @see https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging */
export function outboxContent({ type, sender, messageId, json }: OutboxRow) {
  return { sender, type, message_id: messageId, messages: JSON.parse(json) };
}
