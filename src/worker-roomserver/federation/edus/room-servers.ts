import { domainOf } from "../../../matrix/domain.ts";
import type { RoomForReaders } from "../../room/api.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid } from "../../storage/schema.ts";

/** Names of servers in memory, of all rooms together. */
const MOST_KEPT = 200_000;

export type RoomServersOptions = {
  storage: Pick<Storage, "onEntries" | "onRollback">;
  room: Pick<RoomForReaders, "membershipsOf" | "usersIn">;
  serverName: string;
};

/**
 * Which servers are in which room. It is asked for each keystroke, so it is kept: the members of a room are gone through
 * once after somebody came or went. It may be behind by what is on its way to the disk.
 */
export class RoomServers {
  readonly #room: RoomServersOptions["room"];
  readonly #serverName: string;
  readonly #servers = new Lru<Nid, ReadonlySet<string>>(MOST_KEPT, ({ size }) => size + 1);
  /** Counts changes, so that what was read while one was made is not kept. */
  #changes = 0;
  readonly #unsubscribe: (() => void)[];

  constructor({ storage, room, serverName }: RoomServersOptions) {
    this.#room = room;
    this.#serverName = serverName;
    this.#unsubscribe = [
      storage.onEntries((entries) => {
        for (const { topic, room: nid, user } of entries) {
          if (topic === "purge" || ((topic === "room" || topic === "state") && user !== 0)) this.#drop(nid);
        }
      }),
      storage.onRollback(() => {
        this.#changes += 1;
        this.#servers.clear();
      }),
    ];
  }

  /** Those with users joined to the room, this one among them if it is. */
  async in(room: Nid): Promise<ReadonlySet<string>> {
    const known = this.#servers.get(room);
    if (known !== undefined) return known;
    const before = this.#changes;
    const servers = new Set<string>();
    for (const userId of await this.#room.usersIn(room, "join")) {
      const server = domainOf(userId);
      if (server !== undefined) servers.add(server);
    }
    if (this.#changes === before) this.#servers.set(room, servers);
    return servers;
  }

  /** The same without this one. */
  async othersIn(room: Nid): Promise<string[]> {
    return [...(await this.in(room))].filter((server) => server !== this.#serverName);
  }

  /** Other servers that share a room with a user. @param but - a room that does not count */
  async sharingWith(userId: string, but?: Nid): Promise<ReadonlySet<string>> {
    const sharing = new Set<string>();
    for (const room of await this.#roomsOf(userId)) {
      if (room === but) continue;
      for (const server of await this.in(room)) if (server !== this.#serverName) sharing.add(server);
    }
    return sharing;
  }

  /** Whether a user of another server shares a room with somebody of this one. @param but - a room that does not count */
  async isSharedHere(userId: string, but?: Nid): Promise<boolean> {
    for (const room of await this.#roomsOf(userId)) {
      if (room !== but && (await this.in(room)).has(this.#serverName)) return true;
    }
    return false;
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  async #roomsOf(userId: string): Promise<Nid[]> {
    const all = await this.#room.membershipsOf(userId);
    return all.filter(({ membership }) => membership === "join").map(({ room }) => room);
  }

  #drop(room: Nid): void {
    this.#changes += 1;
    this.#servers.delete(room);
  }
}
