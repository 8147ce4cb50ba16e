import { domainOf } from "../../../matrix/domain.ts";
import { onPurge } from "../../log/on-purge.ts";
import type { RoomForReaders } from "../../room/api.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { EventNid, Nid, SnapshotNid } from "../../storage/schema.ts";

/** Servers that are kept count of, over all rooms. */
const KEPT_SERVERS = 200_000;

/** How many users of each server are joined, in one state of a room. */
type Count = { snapshot: SnapshotNid; users: Map<string, number> };

/**
 * Which servers have users joined to a room, in any of its states. For who follows the log: one state differs little from
 * the one that was asked for before, and only what differs is read.
 */
export class JoinedServers {
  readonly #storage: Storage;
  readonly #room: Pick<RoomForReaders, "snapshotAt" | "usersIn" | "stateChanges" | "events">;
  readonly #counts = new Lru<Nid, Count>(KEPT_SERVERS, ({ users }) => users.size + 1);

  constructor(
    storage: Storage,
    room: Pick<RoomForReaders, "snapshotAt" | "usersIn" | "stateChanges" | "events">,
  ) {
    this.#storage = storage;
    this.#room = room;
    onPurge(storage, (nid) => this.#counts.delete(nid));
  }

  reset(): void {
    this.#counts.clear();
  }

  /**
   * Those in one state of the room. Costs the member events in which it differs from the state that was asked for before,
   * and at first one range of the room's members. To be asked one after the other.
   */
  async at(room: Nid, snapshot: SnapshotNid): Promise<ReadonlySet<string>> {
    // Before its first event, nobody is in a room.
    if (snapshot === 0) return new Set();
    const count = this.#counts.get(room) ?? (await this.#present(room));
    if (count.snapshot !== snapshot) {
      const [gone, come] = await Promise.all([
        this.#joined(await this.#room.stateChanges(snapshot, count.snapshot)),
        this.#joined(await this.#room.stateChanges(count.snapshot, snapshot)),
      ]);
      for (const server of gone) add(count.users, server, -1);
      for (const server of come) add(count.users, server, 1);
      count.snapshot = snapshot;
    }
    this.#counts.set(room, count);
    return new Set(count.users.keys());
  }

  /** Those in the room now, which members are known for without reading their events. */
  async #present(room: Nid): Promise<Count> {
    for (;;) {
      const snapshot = await this.#room.snapshotAt(room, this.#storage.position);
      const users = new Map<string, number>();
      for (const userId of await this.#room.usersIn(room, "join")) add(users, domainOf(userId) ?? "", 1);
      // Members may be known that are still on their way to the disk, and belong to a later state.
      await this.#storage.settled();
      if ((await this.#room.snapshotAt(room, this.#storage.position)) === snapshot)
        return { snapshot, users };
    }
  }

  /** The servers of the users whom these entries of a state join, one for each. */
  async #joined(nids: readonly EventNid[]): Promise<string[]> {
    const events = await this.#room.events(nids);
    return events.flatMap(({ pdu }) =>
      pdu.type === "m.room.member" && pdu.content.membership === "join"
        ? [domainOf(pdu.state_key ?? "") ?? ""]
        : [],
    );
  }
}

function add(users: Map<string, number>, server: string, by: number): void {
  const count = (users.get(server) ?? 0) + by;
  if (count > 0) users.set(server, count);
  else users.delete(server);
}
