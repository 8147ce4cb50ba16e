import { onPurge } from "../../log/on-purge.ts";
import type { Storage, Write } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { AwaitedAs, EventNid, Nid } from "../../storage/schema.ts";

/** An event that waits for another, and what for. */
export type Waiting = { nid: EventNid; as: readonly AwaitedAs[] };

/** What an event waits for. */
export type Wait = { eventId: string; as: AwaitedAs };

/** What waits in a room, by the id of what it waits for; `size` counts the events that wait, once for each of those. */
type Room = { readonly waiting: Map<string, Map<EventNid, Waiting>>; size: number };

/**
 * What may wait in one room. Anybody in it can name events that do not exist: past this, what names another is not
 * remembered.
 */
export const MOST_IN_ROOM = 20_000;

/** Events that wait in all rooms, kept in memory. */
const KEPT = 60_000;

/** Events that are named before they are there: by redactions, and by events that were rejected for want of them. */
export class Awaited {
  readonly #storage: Storage;
  readonly #rooms = new Lru<Nid, Room>(KEPT, (room) => room.size + 1);
  /** Counts what is written, so that what was read while it was is read again. */
  #writes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#writes += 1;
      this.#rooms.clear();
    });
    onPurge(storage, (room) => this.#rooms.delete(room));
  }

  /** Those that wait for an event of the room. One range of small records, the first time. */
  async for(room: Nid, eventId: string): Promise<readonly Waiting[]> {
    return [...((await this.#of(room)).waiting.get(eventId)?.values() ?? [])];
  }

  /** Queues that an event waits for others, each of which may be named more than once. The room's lock is held. */
  add(write: Write, room: Nid, nid: EventNid, waits: readonly Wait[]): void {
    const known = this.#rooms.get(room);
    for (const eventId of new Set(waits.map((wait) => wait.eventId))) {
      if (known !== undefined && known.size >= MOST_IN_ROOM) return;
      const as = waits.filter((wait) => wait.eventId === eventId).map((wait) => wait.as);
      write.put("awaited", as, [room, eventId, nid]);
      this.#writes += 1;
      if (known !== undefined) note(known, eventId, { nid, as });
    }
    if (known !== undefined) this.#rooms.set(room, known); // it weighs more now
  }

  /** Queues that events wait for that one no longer. */
  remove(write: Write, room: Nid, eventId: string, nids: readonly EventNid[]): void {
    if (nids.length === 0) return;
    this.#writes += 1;
    const known = this.#rooms.get(room);
    const waiting = known?.waiting.get(eventId);
    for (const nid of nids) {
      write.delete("awaited", [room, eventId, nid]);
      if (waiting?.delete(nid)) known!.size -= 1;
    }
    if (waiting?.size === 0) known!.waiting.delete(eventId);
    if (known !== undefined) this.#rooms.set(room, known); // it weighs less now
  }

  async #of(room: Nid): Promise<Room> {
    for (;;) {
      const known = this.#rooms.get(room);
      if (known !== undefined) return known;
      const writes = this.#writes;
      await this.#storage.settled();
      const range = IDBKeyRange.bound([room], [room, []]);
      const [keys, rows] = await Promise.all([
        this.#storage.getAllKeys("awaited", range),
        this.#storage.getAll("awaited", range),
      ]);
      if (writes !== this.#writes) continue;
      const read: Room = { waiting: new Map(), size: 0 };
      for (const [i, [, eventId, nid]] of keys.entries()) note(read, eventId, { nid, as: rows[i]! });
      this.#rooms.set(room, read);
    }
  }
}

function note(room: Room, eventId: string, event: Waiting): void {
  const waiting = room.waiting.get(eventId) ?? new Map<EventNid, Waiting>();
  room.waiting.set(eventId, waiting);
  if (!waiting.has(event.nid)) room.size += 1;
  waiting.set(event.nid, event);
}
