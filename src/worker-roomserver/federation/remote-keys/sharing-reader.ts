import { domainOf } from "../../../matrix/domain.ts";
import type { PositionedEntry } from "../../log/entry.ts";
import { DurableReader } from "../../log/reader.ts";
import type { RoomForReaders } from "../../room/api.ts";
import type { Storage } from "../../storage/api.ts";
import type { Nid, Position } from "../../storage/schema.ts";
import type { RoomServers } from "../edus/room-servers.ts";
import type { RemoteLists } from "./lists.ts";

export type SharingOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "membershipOf" | "presentEvents" | "usersIn">;
  servers: RoomServers;
  lists: RemoteLists;
  serverName: string;
};

/** Lists that are looked at in one go. */
const PAGE = 500;

/**
 * Forgets the lists of users of other servers with whom nobody here shares a room any more: their servers do not send
 * updates of them, so what is kept would be wrong when they come back. Who has left and come back before the log was
 * followed is forgotten as well, unless another room was shared throughout.
 */
export class SharingReader {
  readonly #with: SharingOptions;
  readonly #reader: DurableReader;

  constructor(options: SharingOptions) {
    this.#with = options;
    this.#reader = new DurableReader({
      storage: options.storage,
      name: "remoteKeys",
      handle: async (entries) => {
        for (const entry of entries) await this.#take(entry);
        // What it removes, it removes at once: done again, it changes nothing.
        return undefined;
      },
      reset: () => undefined,
    });
  }

  /** Nothing is kept of anybody who ceased to share rooms before the position. */
  caughtUp(position: Position): Promise<void> {
    return this.#reader.caughtUp(position);
  }

  close(): void {
    this.#reader.stop();
  }

  async #take(entry: PositionedEntry): Promise<void> {
    const { topic, room, user } = entry;
    if (topic === "purge") return this.#lookAtAll();
    if ((topic !== "room" && topic !== "state") || user === 0) return;
    const { storage, servers, lists, serverName } = this.#with;
    const userId = await storage.names.text(user);
    if (domainOf(userId) === serverName) {
      if (!(await this.#hasLeft(entry, userId)) || (await this.#isAnybodyElseHereIn(room, userId))) return;
      const members = await this.#with.room.usersIn(room, "join");
      for (const member of members) if (domainOf(member) !== serverName) await this.#look(member, room);
    } else if ((await lists.isKept(userId)) && (await this.#hasLeft(entry, userId))) {
      if (!(await servers.isSharedHere(userId, room))) await lists.drop(userId);
    }
  }

  async #hasLeft({ topic, room, event }: PositionedEntry, userId: string): Promise<boolean> {
    const [told] = topic === "room" ? await this.#with.room.presentEvents([event]) : [];
    const membership =
      told?.pdu.content.membership ?? (await this.#with.room.membershipOf(userId, room))?.membership;
    return membership !== "join";
  }

  async #isAnybodyElseHereIn(room: Nid, userId: string): Promise<boolean> {
    const members = await this.#with.room.usersIn(room, "join");
    return members.some((other) => other !== userId && domainOf(other) === this.#with.serverName);
  }

  /** @param but - a room that does not count */
  async #look(userId: string, but?: Nid): Promise<void> {
    const { lists, servers } = this.#with;
    if ((await lists.isKept(userId)) && !(await servers.isSharedHere(userId, but))) await lists.drop(userId);
  }

  /** Of a room that is gone nobody knows who was in it. */
  async #lookAtAll(): Promise<void> {
    let last = "";
    for (;;) {
      const range = IDBKeyRange.lowerBound(last, true);
      const userIds = await this.#with.storage.getAllKeys("remoteDeviceLists", range, PAGE);
      for (const userId of userIds) await this.#look(userId);
      if (userIds.length < PAGE) return;
      last = userIds.at(-1)!;
    }
  }
}
