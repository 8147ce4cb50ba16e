import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import { MEMBERSHIPS, type Membership, type MembershipRow, type Nid } from "../storage/schema.ts";
import type { MembershipInfo } from "./api.ts";

/** Who is in which room: by user, and by room. What has been queued for writing counts as written. */
export class Memberships {
  readonly #storage: Storage;
  readonly #byUser = new Lru<string, Map<Nid, MembershipInfo>>(100_000, (rooms) => rooms.size + 1);
  readonly #joined = new Lru<Nid, Set<string>>(200_000, (users) => users.size + 1);
  readonly #sharing = new Lru<string, { changes: number; users: ReadonlySet<string> }>(1_000);
  /** Counts changes, so that what was read from the disk while one was made is read again. */
  #changes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#changes += 1;
      this.#byUser.clear();
      this.#joined.clear();
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
    const known = this.#joined.get(room);
    if (known !== undefined) return known;
    const users = await this.#unchanged(async () => new Set(await this.#users(room, "join")));
    const meanwhile = this.#joined.get(room);
    if (meanwhile !== undefined) return meanwhile;
    this.#joined.set(room, users);
    return users;
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
    return membership === "join" ? [...(await this.joined(room))] : this.#users(room, membership);
  }

  async counts(room: Nid): Promise<{ joined: number; invited: number }> {
    const joined = await this.joined(room);
    const invited = await this.#storage.keysFromIndex("memberships", "room", roomRange(room, "invite"));
    return { joined: joined.size, invited: invited.length };
  }

  /** Queues a user's membership in a room. */
  set(write: Write, userId: string, user: Nid, info: MembershipInfo): void {
    write.put("memberships", {
      u: user,
      r: info.room,
      m: MEMBERSHIPS.indexOf(info.membership),
      e: info.event,
      p: info.since,
      f: info.forgotten ? 1 : 0,
    });
    this.#byUser.get(userId)?.set(info.room, info);
    this.#changes += 1;
    const joined = this.#joined.get(info.room);
    if (info.membership === "join") joined?.add(userId);
    else joined?.delete(userId);
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
    };
  }
}

function roomRange(room: Nid, membership: Membership): IDBKeyRange {
  const code = MEMBERSHIPS.indexOf(membership);
  return IDBKeyRange.bound([room, code], [room, code, []]);
}
