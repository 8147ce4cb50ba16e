import { onPurge } from "../../log/on-purge.ts";
import type { Storage, Write } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";

/** An event of the timeline, and which events right before it are not known here. */
export type Gap = { event: EventNid; order: number; missing: readonly string[] };

/** Gaps of all rooms that are kept in memory. */
const KEPT = 20_000;

/** A room's gaps by what is missing. */
type Room = Map<string, Gap[]>;

/** Where rooms' histories are missing. */
export class Gaps {
  readonly #storage: Storage;
  readonly #rooms = new Lru<Nid, Room>(KEPT, (gaps) => gaps.size + 1);
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

  /** The gaps of a room that an event fills, wholly or in part. One range of small records, the first time. */
  async before(room: Nid, eventId: string): Promise<readonly Gap[]> {
    return (await this.#in(room)).get(eventId) ?? [];
  }

  /** Queues what is missing before an event: a new gap, a smaller one, or none any more. */
  set(write: Write, room: Nid, gap: Gap): void {
    const key: [Nid, number] = [room, -gap.order];
    this.#writes += 1;
    if (gap.missing.length > 0) write.put("gaps", { event: gap.event, missing: [...gap.missing] }, key);
    else write.delete("gaps", key);
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    for (const [id, gaps] of known) {
      const others = gaps.filter(({ event }) => event !== gap.event);
      if (others.length > 0) known.set(id, others);
      else known.delete(id);
    }
    for (const id of gap.missing) known.set(id, [...(known.get(id) ?? []), gap]);
    this.#rooms.set(room, known); // it weighs more now, or less
  }

  async #in(room: Nid): Promise<Room> {
    for (;;) {
      const known = this.#rooms.get(room);
      if (known !== undefined) return known;
      const writes = this.#writes;
      await this.#storage.settled();
      const range = IDBKeyRange.bound([room], [room, []]);
      const [keys, rows] = await Promise.all([
        this.#storage.getAllKeys("gaps", range),
        this.#storage.getAll("gaps", range),
      ]);
      if (writes !== this.#writes) continue;
      const read: Room = new Map();
      for (const [i, row] of rows.entries()) {
        const gap = { ...row, order: -keys[i]![1] };
        for (const id of gap.missing) read.set(id, [...(read.get(id) ?? []), gap]);
      }
      this.#rooms.set(room, read);
    }
  }
}
