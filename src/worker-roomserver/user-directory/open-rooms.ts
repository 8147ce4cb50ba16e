import { domainOf } from "../../matrix/domain.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid } from "../storage/schema.ts";

/** Rooms that are looked at. A server with more has better ways to find somebody. */
const MOST_ROOMS = 5_000;

/** The rooms that anybody may join or read, and that somebody here is in: the members of such are no secret. */
export class OpenRooms {
  readonly #storage: Storage;
  readonly #room: RoomForReaders;
  readonly #serverName: string;
  /** Of rooms in which nothing has happened since. */
  readonly #isOpen = new Map<Nid, Promise<boolean>>();
  readonly #unsubscribe: (() => void)[];

  constructor({ storage, room, serverName }: { storage: Storage; room: RoomForReaders; serverName: string }) {
    this.#storage = storage;
    this.#room = room;
    this.#serverName = serverName;
    this.#unsubscribe = [
      storage.onEntries((entries) => {
        for (const { topic, room } of entries) {
          if (topic === "room" || topic === "state" || topic === "purge") this.#isOpen.delete(room);
        }
      }),
      storage.onRollback(() => this.#isOpen.clear()),
    ];
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** Costs a range of keys, and three entries of its state for each room in which something has happened. */
  async all(): Promise<Nid[]> {
    const rooms = await this.#storage.getAllKeys("rooms", undefined, MOST_ROOMS);
    const areOpen = await Promise.all(rooms.map((room) => this.#isOpen.get(room) ?? this.#look(room)));
    return rooms.filter((_, i) => areOpen[i]);
  }

  #look(room: Nid): Promise<boolean> {
    const isOpen = this.#isOpenNow(room);
    this.#isOpen.set(room, isOpen);
    isOpen.catch(() => this.#isOpen.delete(room));
    return isOpen;
  }

  async #isOpenNow(room: Nid): Promise<boolean> {
    const snapshot = await this.#room.snapshotAt(room, this.#storage.position);
    const contentOf = async (type: string) => {
      const nid = await this.#room.stateEntry(snapshot, type, "");
      const [event] = nid === undefined ? [] : await this.#room.presentEvents([nid]);
      return event?.pdu.content;
    };
    const [rules, visibility] = await Promise.all(
      ["m.room.join_rules", "m.room.history_visibility"].map(contentOf),
    );
    if (rules?.join_rule !== "public" && visibility?.history_visibility !== "world_readable") return false;
    const members = await this.#room.usersIn(room, "join");
    return members.some((userId) => domainOf(userId) === this.#serverName);
  }
}
