import { KeyedLock } from "../node/keyed-lock.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid } from "../storage/schema.ts";
import { type Listed, listed } from "./match.ts";

/** Members whose events are read for their names: those of a larger room are found by their ids alone. */
const MOST_NAMED = 10_000;
/** Members in memory, of all rooms: some 60 MB with their names. */
const KEPT_MEMBERS = 100_000;

type Members = { users: Map<string, Listed>; isNamed: boolean };

/** Who is joined to a room, and what they are called there. Read once; then the log says whom to look at again. */
export class RoomMembers {
  readonly #storage: Storage;
  readonly #room: RoomForReaders;
  readonly #rooms = new Lru<Nid, Members>(KEPT_MEMBERS, ({ users }) => users.size + 1);
  /** Users to be looked at again, of rooms that are in memory or being read. */
  readonly #stale = new Map<Nid, Set<Nid>>();
  readonly #locks = new KeyedLock<Nid>();
  readonly #unsubscribe: (() => void)[];

  constructor(storage: Storage, room: RoomForReaders) {
    this.#storage = storage;
    this.#room = room;
    this.#unsubscribe = [
      storage.onEntries((entries) => {
        for (const { topic, room, user } of entries) {
          if (topic === "purge") this.#rooms.delete(room);
          else if (user !== 0 && (topic === "room" || topic === "state")) this.#stale.get(room)?.add(user);
        }
      }),
      storage.onRollback(() => this.#rooms.clear()),
    ];
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  of(room: Nid): Promise<Iterable<Listed>> {
    return this.#locks.run(room, () => this.#upToDate(room));
  }

  async #upToDate(room: Nid): Promise<Iterable<Listed>> {
    const known = this.#rooms.get(room);
    // Before anything is read, so that what changes meanwhile is looked at again.
    const stale = this.#stale.get(room) ?? new Set();
    this.#stale.set(room, new Set());
    const members = known ?? (await this.#read(room));
    if (known !== undefined) for (const user of stale) await this.#update(room, members, user);
    this.#rooms.set(room, members); // it may weigh more now
    for (const forgotten of this.#stale.keys()) {
      if (this.#rooms.get(forgotten) === undefined) this.#stale.delete(forgotten);
    }
    return members.users.values();
  }

  async #read(room: Nid): Promise<Members> {
    const { joined } = await this.#room.memberCounts(room);
    if (joined > MOST_NAMED) {
      const userIds = await this.#room.usersIn(room, "join");
      const unnamed = userIds.map((userId) =>
        listed({ userId, displayName: undefined, avatarUrl: undefined }),
      );
      return { users: new Map(unnamed.map((user) => [user.userId, user])), isNamed: false };
    }
    const snapshot = await this.#room.snapshotAt(room, this.#storage.position);
    const events = await this.#room.events(await this.#room.stateOf(snapshot, "members"));
    const members = events.filter(({ pdu }) => pdu.content.membership === "join").map(listedOf);
    return { users: new Map(members.map((member) => [member.userId, member])), isNamed: true };
  }

  async #update(room: Nid, { users, isNamed }: Members, user: Nid): Promise<void> {
    const userId = await this.#storage.names.text(user);
    const info = await this.#room.membershipOf(userId, room);
    if (info?.membership !== "join") {
      users.delete(userId);
      return;
    }
    const [event] = isNamed ? await this.#room.presentEvents([info.event]) : [];
    users.set(
      userId,
      event === undefined
        ? listed({ userId, displayName: undefined, avatarUrl: undefined })
        : listedOf(event),
    );
  }
}

function listedOf({ pdu }: StoredEvent): Listed {
  const { displayname, avatar_url } = pdu.content;
  return listed({
    userId: pdu.state_key ?? "",
    displayName: typeof displayname === "string" && displayname !== "" ? displayname : undefined,
    avatarUrl: typeof avatar_url === "string" && avatar_url !== "" ? avatar_url : undefined,
  });
}
