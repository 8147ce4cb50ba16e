import type { Storage, Write } from "../storage/api.ts";
import type { Nid, NotificationRow, PushActionRow } from "../storage/schema.ts";
import type { Unread } from "./unread.ts";

type Memory = { rooms: Map<Nid, Map<Nid, Promise<Unread>>>; complete: Map<Nid, Promise<void>> };

/**
 * The rows of `pushActions`, in memory for each user and room that was looked at. Only the reader of the log
 * changes them; its changes are here at once, and gather in `changes` for its next unit.
 */
export class UnreadStore {
  readonly #storage: Storage;
  #memory: Memory = { rooms: new Map(), complete: new Map() };

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  of(user: Nid, room: Nid): Promise<Unread> {
    const { rooms } = this.#memory;
    let ofUser = rooms.get(user);
    if (ofUser === undefined) {
      ofUser = new Map();
      rooms.set(user, ofUser);
    }
    const known = ofUser.get(room);
    if (known !== undefined) return known;
    const read = this.#read(user, room);
    ofUser.set(room, read);
    read.catch(() => ofUser.delete(room)); // whoever asked is told, and the next one tries again
    return read;
  }

  /** How many events the user has not read, in all rooms. The first time it reads all of them, then none. */
  async total(user: Nid): Promise<number> {
    const { rooms, complete } = this.#memory;
    const reading = complete.get(user) ?? this.#readAll(user);
    complete.set(user, reading);
    reading.catch(() => complete.delete(user));
    await reading;
    let total = 0;
    for (const unread of await Promise.all(rooms.get(user)?.values() ?? [])) total += unread.size;
    return total;
  }

  reset(): void {
    this.#memory = { rooms: new Map(), complete: new Map() };
  }

  /** Rooms that are in memory may be ahead of the disk; those that are not have changed nothing since they were read. */
  async #readAll(user: Nid): Promise<void> {
    await this.#storage.flushed();
    const keys = await this.#storage.getAllKeys("pushActions", IDBKeyRange.bound([user], [user, []]));
    await Promise.all([...new Set(keys.map(([, room]) => room))].map((room) => this.of(user, room)));
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

type Change =
  | { store: "pushActions"; key: [Nid, Nid, number]; row: PushActionRow | undefined }
  | { store: "notifications"; key: [Nid, number]; row: NotificationRow };

/** What a batch of entries does to the rows of `pushActions` and `notifications`. */
export class UnreadChanges {
  readonly #changes: Change[] = [];

  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  add(unread: Unread, key: [user: Nid, room: Nid, order: number], row: PushActionRow): void {
    unread.set(key[2], row);
    this.#changes.push({ store: "pushActions", key, row });
  }

  /** Removes those that are `read`. @returns whether there were any */
  remove(unread: Unread, user: Nid, room: Nid, isRead: (order: number, thread: string) => boolean): boolean {
    const before = unread.size;
    for (const [order, [, , thread]] of unread) {
      if (!isRead(order, thread)) continue;
      unread.delete(order);
      this.#changes.push({ store: "pushActions", key: [user, room, order], row: undefined });
    }
    return unread.size < before;
  }

  note(user: Nid, order: number, row: NotificationRow): void {
    this.#changes.push({ store: "notifications", key: [user, -order], row });
  }

  /** In the order in which they were made: what was added and read again is gone. */
  write(write: Write): void {
    for (const { store, key, row } of this.#changes) {
      if (row === undefined) write.delete(store, key);
      else write.put(store, row, key);
    }
  }
}
