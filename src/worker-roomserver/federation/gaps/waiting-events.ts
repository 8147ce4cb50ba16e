import { MatrixError } from "../../../matrix/errors.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import type { Storage, Write } from "../../storage/api.ts";
import type { Nid, WaitingEventRow } from "../../storage/schema.ts";
import type { KnownRoom } from "../known-rooms.ts";

/**
 * Events that wait in one room, and in all. Each may have 64 KiB, and anybody may send such that nothing will ever come
 * of; what is turned away because of these bounds is asked for again when something is built upon it.
 */
export const WAITING_LIMITS = { ofRoom: 300, all: 4_000 };

/** An event that waits, and who has sent it when. */
export type WaitingEvent = { event: ReceivedEvent; origin: string; at: number };

type Room = Set<string>;

/** Events that have been accepted from other servers and cannot be taken in yet. On the disk; their ids are in memory. */
export class WaitingEvents {
  readonly #storage: Storage;
  readonly #limits: typeof WAITING_LIMITS;
  #rooms: Promise<Map<Nid, Room>> | undefined;

  constructor(storage: Storage, limits = WAITING_LIMITS) {
    this.#storage = storage;
    this.#limits = limits;
    storage.onRollback(() => {
      this.#rooms = undefined;
    });
  }

  /** The numbers of the rooms in which any wait. */
  async rooms(): Promise<Nid[]> {
    return [...(await this.#load()).keys()];
  }

  /**
   * Admits events to those that wait, as far as there is room.
   * @returns which found none, and what to call in the unit in which ends what brought them
   */
  async admit(
    { nid }: Pick<KnownRoom, "nid">,
    events: readonly WaitingEvent[],
  ): Promise<{ turnedAway: ReadonlySet<string>; put: (write: Write) => void }> {
    const rooms = await this.#load();
    const room = rooms.get(nid) ?? new Set();
    let free = Math.min(this.#limits.ofRoom - room.size, this.#limits.all - sizeOf(rooms));
    const admitted = new Map<string, WaitingEventRow>();
    const turnedAway = new Set<string>();
    for (const { event, origin, at } of events) {
      if (room.has(event.eventId)) continue;
      if (free-- > 0) admitted.set(event.eventId, { json: event.json, origin, at });
      else turnedAway.add(event.eventId);
    }
    return {
      turnedAway,
      put: (write) => {
        if (admitted.size > 0) rooms.set(nid, room);
        for (const [eventId, row] of admitted) {
          room.add(eventId);
          write.put("waitingEvents", row, [nid, eventId]);
        }
      },
    };
  }

  /** Those that wait in a room, the oldest first. One range. */
  async of(room: KnownRoom): Promise<WaitingEvent[]> {
    const range = IDBKeyRange.bound([room.nid], [room.nid, []]);
    const rows = await this.#storage.getAll("waitingEvents", range);
    return rows
      .flatMap(({ json, origin, at }) => {
        const event = readAgain(json, room);
        return event === undefined ? [] : [{ event, origin, at }];
      })
      .sort((a, b) => a.at - b.at || a.event.pdu.depth - b.event.pdu.depth);
  }

  /** Removes those that wait no longer. It is not waited for: what is removed twice does no harm. */
  async remove({ nid }: Pick<KnownRoom, "nid">, eventIds: readonly string[]): Promise<void> {
    if (eventIds.length === 0) return;
    const rooms = await this.#load();
    await this.#storage.commit((write) => {
      const room = rooms.get(nid);
      for (const eventId of eventIds) {
        room?.delete(eventId);
        write.delete("waitingEvents", [nid, eventId]);
      }
      if (room?.size === 0) rooms.delete(nid);
    });
  }

  /** Of a room that is not known here any more. */
  async removeAll(nid: Nid): Promise<void> {
    const rooms = await this.#load();
    await this.#storage.commit((write) => {
      rooms.delete(nid);
      write.delete("waitingEvents", IDBKeyRange.bound([nid], [nid, []]));
    });
  }

  async #load(): Promise<Map<Nid, Room>> {
    this.#rooms ??= this.#read();
    const loading = this.#rooms;
    try {
      const rooms = await loading;
      return this.#rooms === loading ? rooms : this.#load();
    } catch (error) {
      if (this.#rooms === loading) this.#rooms = undefined;
      throw error;
    }
  }

  async #read(): Promise<Map<Nid, Room>> {
    const rooms = new Map<Nid, Room>();
    for (const [nid, eventId] of await this.#storage.getAllKeys("waitingEvents")) {
      const room = rooms.get(nid) ?? new Set();
      rooms.set(nid, room.add(eventId));
    }
    return rooms;
  }
}

const sizeOf = (rooms: ReadonlyMap<Nid, Room>) =>
  [...rooms.values()].reduce((sum, { size }) => sum + size, 0);

/** It was read when it came; the room may have come back in another version since. */
function readAgain(json: string, { rules }: KnownRoom): ReceivedEvent | undefined {
  try {
    return readReceivedEvent(json, rules);
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}
