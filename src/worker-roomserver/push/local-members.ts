import { domainOf } from "../../matrix/domain.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Nid } from "../storage/schema.ts";

type Rooms = Pick<RoomForReaders, "events" | "memberCounts" | "membershipOf" | "stateEntry" | "usersIn">;

/**
 * This server's joined members of each room, as of where the reader stands in the log. Read once a room; from
 * then on it is told of every member event.
 */
export class LocalMembers {
  readonly #room: Rooms;
  readonly #serverName: string;
  readonly #rooms = new Map<Nid, Set<string>>();
  readonly #counts = new Map<Nid, Promise<number>>();

  constructor(room: Rooms, serverName: string) {
    this.#room = room;
    this.#serverName = serverName;
  }

  isLocal(userId: string): boolean {
    return domainOf(userId) === this.#serverName;
  }

  /** The members just before an event that the reader has come to. */
  async before(event: StoredEvent): Promise<ReadonlySet<string>> {
    const known = this.#rooms.get(event.room);
    if (known !== undefined) return known;
    const now = (await this.#room.usersIn(event.room, "join")).filter((userId) => this.isLocal(userId));
    const wereIn = await Promise.all(now.map((userId) => this.#wasIn(event, userId)));
    const members = new Set(now.filter((_, i) => wereIn[i]));
    this.#rooms.set(event.room, members);
    return members;
  }

  /** The number of joined members of all servers, now. */
  count(room: Nid): Promise<number> {
    const known = this.#counts.get(room);
    if (known !== undefined) return known;
    const count = this.#room.memberCounts(room).then(({ joined }) => joined);
    this.#counts.set(room, count);
    return count;
  }

  /** Call it after `before`, for each member event in order. */
  follow(room: Nid, userId: string, membership: unknown): void {
    this.#counts.delete(room);
    if (membership !== "join") this.#rooms.get(room)?.delete(userId);
    else if (this.isLocal(userId)) this.#rooms.get(room)?.add(userId);
  }

  /** The room has been purged: it may come back with other members. */
  drop(room: Nid): void {
    this.#rooms.delete(room);
    this.#counts.delete(room);
  }

  reset(): void {
    this.#rooms.clear();
    this.#counts.clear();
  }

  /** Whether somebody who is in the room now was so before the event: the reader may be behind. */
  async #wasIn(event: StoredEvent, userId: string): Promise<boolean> {
    const info = await this.#room.membershipOf(userId, event.room);
    if (info === undefined || info.since < event.order) return info !== undefined;
    const nid = await this.#room.stateEntry(event.stateBefore, "m.room.member", userId);
    const member = nid === undefined ? undefined : (await this.#room.events([nid]))[0];
    return member?.pdu.content.membership === "join";
  }
}
