import { domainOf } from "../../matrix/domain.ts";
import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import {
  type EventNid,
  MEMBERSHIPS,
  type Membership,
  type MembershipRow,
  type Nid,
} from "../storage/schema.ts";
import type { MembershipInfo } from "./api.ts";

/** The users of a room who are in it, or may come: one range of the index. */
type Present = { join: Set<string>; invite: Set<string> };

/** Who is in which room: by user, and by room. What has been queued for writing counts as written. */
export class Memberships {
  readonly #storage: Storage;
  readonly #byUser = new Lru<string, Map<Nid, MembershipInfo>>(100_000, (rooms) => rooms.size + 1);
  readonly #present = new Lru<Nid, Present>(200_000, ({ join, invite }) => join.size + invite.size + 1);
  readonly #sharing = new Lru<string, { changes: number; users: ReadonlySet<string> }>(
    200_000,
    ({ users }) => users.size + 1,
  );
  /** Counts changes, so that what was read from the disk while one was made is read again. */
  #changes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#changes += 1;
      this.#byUser.clear();
      this.#present.clear();
    });
  }

  /** Every room that the user has a membership in. From memory after the first call. */
  async of(userId: string): Promise<ReadonlyMap<Nid, MembershipInfo>> {
    const known = this.#byUser.get(userId);
    if (known !== undefined) return known;
    const rooms = await this.#unchanged(() => this.#roomsOf(userId));
    const meanwhile = this.#byUser.get(userId);
    if (meanwhile !== undefined) return meanwhile;
    this.#byUser.set(userId, rooms);
    return rooms;
  }

  /** User ids of those joined to the room. From memory after the first call. */
  async joined(room: Nid): Promise<ReadonlySet<string>> {
    return (await this.#presentIn(room)).join;
  }

  /** The servers of those joined to the room, each once. Goes through all members. */
  async servers(room: Nid): Promise<string[]> {
    const servers = new Set<string>();
    for (const userId of await this.joined(room)) servers.add(domainOf(userId) ?? "");
    servers.delete("");
    return [...servers];
  }

  /**
   * User ids of those joined to a room with the user, without the user. The same set as long as no membership of
   * anybody changes.
   */
  async sharing(userId: string): Promise<ReadonlySet<string>> {
    const known = this.#sharing.get(userId);
    if (known?.changes === this.#changes) return known.users;
    const changes = this.#changes;
    const rooms = [...(await this.of(userId)).values()].filter(({ membership }) => membership === "join");
    const users = new Set<string>();
    for (const members of await Promise.all(rooms.map(({ room }) => this.joined(room)))) {
      for (const member of members) users.add(member);
    }
    users.delete(userId);
    this.#sharing.set(userId, { changes, users });
    return users;
  }

  /** User ids of those with the membership in the room. */
  async with(room: Nid, membership: Membership): Promise<string[]> {
    if (membership !== "join" && membership !== "invite") return this.#users(room, membership);
    return [...(await this.#presentIn(room))[membership]];
  }

  async counts(room: Nid): Promise<{ joined: number; invited: number }> {
    const { join, invite } = await this.#presentIn(room);
    return { joined: join.size, invited: invite.size };
  }

  /**
   * Brings those into memory who wait to be let in by an event that came without the room: what the room says of them then
   * takes the place of those events too. Reads a range of the room's memberships.
   */
  async expect(room: Nid): Promise<void> {
    const rows = await this.#storage.fromIndex("memberships", "room", roomRange(room, "invite", "knock"));
    const waiting = rows.filter((row) => row.s !== undefined);
    await Promise.all(waiting.map(async (row) => this.of(await this.#storage.names.text(row.u))));
  }

  /**
   * Queues a user's membership in a room.
   * @param about - of one that came without the room, what is kept of it: see MembershipRow
   */
  set(write: Write, userId: string, user: Nid, info: MembershipInfo, about = ""): void {
    this.#removeOutOfBand(write, userId, info.room, info.event);
    write.put("memberships", {
      u: user,
      r: info.room,
      m: MEMBERSHIPS.indexOf(info.membership),
      e: info.event,
      p: info.since,
      f: info.forgotten ? 1 : 0,
      ...(info.outOfBand && { s: about }),
    });
    this.#changes += 1;
    const rooms = this.#byUser.get(userId);
    if (rooms !== undefined) this.#byUser.set(userId, rooms.set(info.room, info)); // it may weigh more now
    const present = this.#present.get(info.room);
    if (present === undefined) return;
    present.join.delete(userId);
    present.invite.delete(userId);
    if (info.membership === "join" || info.membership === "invite") present[info.membership].add(userId);
    this.#present.set(info.room, present);
  }

  /** Queues that a user's membership in a room is not known any more. */
  remove(write: Write, userId: string, user: Nid, room: Nid): void {
    this.#removeOutOfBand(write, userId, room);
    write.delete("memberships", [user, room]);
    this.#byUser.get(userId)?.delete(room);
    this.#changes += 1;
    const present = this.#present.get(room);
    present?.join.delete(userId);
    present?.invite.delete(userId);
  }

  /**
   * Nothing but a membership names an event that came without its room. Where the membership is not in memory the event
   * stays until the room's data is removed, in nobody's way.
   */
  #removeOutOfBand(write: Write, userId: string, room: Nid, successor?: EventNid): void {
    const former = this.#byUser.get(userId)?.get(room);
    if (former?.outOfBand && former.event !== successor) write.delete("events", former.event);
  }

  async #presentIn(room: Nid): Promise<Present> {
    const known = this.#present.get(room);
    if (known !== undefined) return known;
    const present = await this.#unchanged(() => this.#readPresent(room));
    const meanwhile = this.#present.get(room);
    if (meanwhile !== undefined) return meanwhile;
    this.#present.set(room, present);
    return present;
  }

  async #readPresent(room: Nid): Promise<Present> {
    const range = roomRange(room, "join", "invite");
    const rows = await this.#storage.fromIndex("memberships", "room", range);
    const userIds = await Promise.all(rows.map((row) => this.#storage.names.text(row.u)));
    const having = (membership: Membership) =>
      new Set(userIds.filter((_, i) => MEMBERSHIPS[rows[i]!.m] === membership));
    return { join: having("join"), invite: having("invite") };
  }

  /** Repeats a read until no membership was changed during it. */
  async #unchanged<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = this.#changes;
      await this.#storage.settled();
      const result = await read();
      if (this.#changes === before) return result;
    }
  }

  async #roomsOf(userId: string): Promise<Map<Nid, MembershipInfo>> {
    const user = await this.#storage.names.find(userId);
    if (user === undefined) return new Map();
    const rows = await this.#storage.getAll("memberships", IDBKeyRange.bound([user], [user, []]));
    const infos = await Promise.all(rows.map((row) => this.#info(row)));
    return new Map(infos.map((info) => [info.room, info]));
  }

  async #users(room: Nid, membership: Membership): Promise<string[]> {
    const keys = await this.#storage.keysFromIndex("memberships", "room", roomRange(room, membership));
    return Promise.all(keys.map(([user]) => this.#storage.names.text(user)));
  }

  async #info(row: MembershipRow): Promise<MembershipInfo> {
    return {
      room: row.r,
      roomId: await this.#storage.names.text(row.r),
      membership: MEMBERSHIPS[row.m]!,
      event: row.e,
      since: row.p,
      forgotten: row.f === 1,
      ...(row.s !== undefined && { outOfBand: true }),
    };
  }
}

/** Those with a membership, or with one from `first` to `last` in the order of MEMBERSHIPS. */
function roomRange(room: Nid, first: Membership, last = first): IDBKeyRange {
  return IDBKeyRange.bound([room, MEMBERSHIPS.indexOf(first)], [room, MEMBERSHIPS.indexOf(last), []]);
}
