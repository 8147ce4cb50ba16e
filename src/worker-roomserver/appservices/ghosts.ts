import type { RoomForReaders } from "../room/api.ts";
import { Lru } from "../storage/lru.ts";
import { MEMBERSHIPS, type Nid, type SnapshotNid } from "../storage/schema.ts";
import type { Service } from "./service.ts";

type Rooms = Pick<
  RoomForReaders,
  "events" | "membershipOf" | "membershipsOf" | "snapshotAt" | "stateEntry" | "usersIn"
>;

/** Rooms of which is known whether somebody of the service is in them. */
const KNOWN_ROOMS = 10_000;

/** Where in a room's history one looks: a position of the log, and the room's state there. */
export type Moment = { room: Nid; position: number; state: () => Promise<SnapshotNid> };

/**
 * Whether a user of a service is in a room, as of where its reader stands in the log: a service that was away is still
 * told of what happened while its users were there. One user that is in the room is enough, so only that one is kept.
 *
 * Cost: once a room, and again after a member event of the service's users there, all members that are here; and for those
 * who came or went since the moment, an entry of the room's state.
 */
export class Ghosts {
  readonly #room: Rooms;
  readonly #service: Service;
  /** A user that is in the room; null: there is none. */
  readonly #witnesses = new Lru<Nid, string | null>(KNOWN_ROOMS);

  constructor(room: Rooms, service: Service) {
    this.#room = room;
    this.#service = service;
  }

  async areIn(moment: Moment): Promise<boolean> {
    const known = this.#witnesses.get(moment.room);
    if (known !== undefined) return known !== null;
    const found = await this.#witness(moment);
    this.#witnesses.set(moment.room, found ?? null);
    return found !== undefined;
  }

  /**
   * Whether somebody is in a room together with one of them. Rooms of whom one asks about are those of now.
   * Cost: as `areIn`, for each of these rooms until one is found.
   */
  async shareRoomsWith(userId: string, position: number): Promise<boolean> {
    for (const { room, membership } of await this.#room.membershipsOf(userId)) {
      if (membership !== "join") continue;
      // What is known of the room already was found at an earlier place, and followed to this one.
      const state = () => this.#room.snapshotAt(room, position);
      if (await this.areIn({ room, position: position + 1, state })) return true;
    }
    return false;
  }

  /** Call it after `areIn`, for each change of a member in the order of the log. */
  changed(room: Nid, userId: string): void {
    const known = this.#witnesses.get(room);
    if (known === userId || (known === null && this.#isOurs(userId))) this.#witnesses.delete(room);
  }

  /** The room has been purged. */
  drop(room: Nid): void {
    this.#witnesses.delete(room);
  }

  reset(): void {
    for (const room of this.#witnesses.keys()) this.#witnesses.delete(room);
  }

  async #witness({ room, position, state }: Moment): Promise<string | undefined> {
    const unsure: string[] = [];
    for (const membership of ["join", ...MEMBERSHIPS.filter((other) => other !== "join")] as const) {
      const users = await this.#room.usersIn(room, membership);
      for (const userId of users) {
        if (!this.#isOurs(userId)) continue;
        const info = await this.#room.membershipOf(userId, room);
        if (info === undefined || info.since >= position) unsure.push(userId);
        else if (info.membership === "join") return userId;
      }
    }
    if (unsure.length === 0) return undefined;
    const snapshot = await state();
    for (const userId of unsure) {
      const nid = await this.#room.stateEntry(snapshot, "m.room.member", userId);
      const [member] = nid === undefined ? [] : await this.#room.events([nid]);
      if (member?.pdu.content.membership === "join") return userId;
    }
    return undefined;
  }

  #isOurs(userId: string): boolean {
    return this.#service.match("users", userId).all;
  }
}
