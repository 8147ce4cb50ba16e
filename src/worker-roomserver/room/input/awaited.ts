import { onPurge } from "../../log/on-purge.ts";
import type { Storage, Write } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { AwaitedRow, EventNid, Nid } from "../../storage/schema.ts";

/** An event that waits for another, and what for. */
export type Waiting = { nid: EventNid; why: AwaitedRow };

type Room = Map<string, Waiting[]>;

/**
 * What may wait in one room. Anybody in it can name events that do not exist: past this, what names another is not
 * remembered.
 */
const MOST_IN_ROOM = 20_000;

/** Rows of all rooms that are kept in memory. */
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

  /** Those that wait for any event of the room, by its id. One range of small records, the first time. */
  async in(room: Nid): Promise<ReadonlyMap<string, readonly Waiting[]>> {
    return this.#of(room);
  }

  /** Queues that an event waits. The room has been read, and its lock is held. */
  add(write: Write, room: Nid, eventId: string, waiting: Waiting): void {
    const known = this.#rooms.get(room);
    if (known === undefined || known.size >= MOST_IN_ROOM) return;
    write.put("awaited", waiting.why, [room, eventId, waiting.nid]);
    this.#writes += 1;
    const others = (known.get(eventId) ?? []).filter(({ nid }) => nid !== waiting.nid);
    known.set(eventId, [...others, waiting]);
    this.#rooms.set(room, known); // it weighs more now
  }

  /** Queues that they wait no longer. */
  remove(write: Write, room: Nid, eventId: string, those: readonly Waiting[]): void {
    if (those.length === 0) return;
    for (const { nid } of those) write.delete("awaited", [room, eventId, nid]);
    this.#writes += 1;
    const known = this.#rooms.get(room);
    const gone = new Set(those.map(({ nid }) => nid));
    const left = known?.get(eventId)?.filter(({ nid }) => !gone.has(nid)) ?? [];
    if (left.length > 0) known?.set(eventId, left);
    else known?.delete(eventId);
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
      const read: Room = new Map();
      for (const [i, [, eventId, nid]] of keys.entries()) {
        const others = read.get(eventId);
        if (others === undefined) read.set(eventId, [{ nid, why: rows[i]! }]);
        else others.push({ nid, why: rows[i]! });
      }
      this.#rooms.set(room, read);
    }
  }
}
