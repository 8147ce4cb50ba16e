import { type RoomVersionRules, roomVersionRules } from "../../matrix/room-versions.ts";
import { onPurge } from "../log/on-purge.ts";
import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid } from "../storage/schema.ts";

/** A room that is known here: what events of it are read by. */
export type KnownRoom = { roomId: string; nid: Nid; rules: RoomVersionRules };

const KEPT = 2_000;

/** Which rooms are known here. */
export class KnownRooms {
  readonly #storage: Storage;
  readonly #rooms = new Lru<string, KnownRoom>(KEPT);

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => this.#rooms.clear());
    // Its next life may have another version.
    onPurge(storage, (nid) => {
      for (const [roomId] of this.#rooms.filter((room) => room.nid === nid)) this.#rooms.delete(roomId);
    });
  }

  /** From memory, or a name and a row. */
  async find(roomId: string): Promise<KnownRoom | undefined> {
    const known = this.#rooms.get(roomId);
    if (known !== undefined) return known;
    const nid = await this.#storage.names.find(roomId);
    const row = nid === undefined ? undefined : await this.#storage.get("rooms", nid);
    const rules = row && roomVersionRules(row.version);
    if (nid === undefined || rules === undefined) return undefined;
    const room = { roomId, nid, rules };
    this.#rooms.set(roomId, room);
    return room;
  }
}
