import type { Storage, Write } from "../storage/api.ts";
import type { Nid, PushActionRow } from "../storage/schema.ts";
import type { Unread } from "./unread.ts";

/**
 * The rows of `pushActions`, in memory for each user and room that was looked at. Only the reader of the log
 * changes them; its changes are here at once, and gather in `changes` for its next unit.
 */
export class UnreadStore {
  readonly #storage: Storage;
  #rooms = new Map<string, Promise<Unread>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  of(user: Nid, room: Nid): Promise<Unread> {
    const key = `${user} ${room}`;
    const known = this.#rooms.get(key);
    if (known !== undefined) return known;
    const rooms = this.#rooms;
    const read = this.#read(user, room);
    rooms.set(key, read);
    read.catch(() => rooms.delete(key)); // whoever asked is told, and the next one tries again
    return read;
  }

  reset(): void {
    this.#rooms = new Map();
  }

  async #read(user: Nid, room: Nid): Promise<Unread> {
    await this.#storage.flushed();
    const range = IDBKeyRange.bound([user, room], [user, room, []]);
    const keys = await this.#storage.getAllKeys("pushActions", range);
    // Most rooms have nothing unread.
    const rows = keys.length === 0 ? [] : await this.#storage.getAll("pushActions", range);
    return new Map(keys.map(([, , order], i) => [order, rows[i]!]));
  }
}

/** What a batch of entries does to the rows of `pushActions`. */
export class UnreadChanges {
  readonly #changes: { key: [Nid, Nid, number]; row: PushActionRow | undefined }[] = [];

  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  add(unread: Unread, key: [user: Nid, room: Nid, order: number], row: PushActionRow): void {
    unread.set(key[2], row);
    this.#changes.push({ key, row });
  }

  /** Removes those that are `read`. */
  remove(unread: Unread, user: Nid, room: Nid, isRead: (order: number, thread: string) => boolean): void {
    for (const [order, [, , thread]] of unread) {
      if (!isRead(order, thread)) continue;
      unread.delete(order);
      this.#changes.push({ key: [user, room, order], row: undefined });
    }
  }

  /** In the order in which they were made: what was added and read again is gone. */
  write(write: Write): void {
    for (const { key, row } of this.#changes) {
      if (row === undefined) write.delete("pushActions", key);
      else write.put("pushActions", row, key);
    }
  }
}
