import { notFound } from "../../../../src/matrix/errors.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type {
  AccountDataEvent,
  AccountDataForReaders,
} from "../../../../src/worker-roomserver/account-data/api.ts";
import type { DeviceCounts, KeysForReaders } from "../../../../src/worker-roomserver/keys/api.ts";
import {
  changedLists,
  tellAll,
  tellClaimed,
  tellOwn,
} from "../../../../src/worker-roomserver/keys/list-changes.ts";
import type { PresenceForReaders, PresenceState } from "../../../../src/worker-roomserver/presence/api.ts";
import type { PushForReaders, UnreadCounts } from "../../../../src/worker-roomserver/push/api.ts";
import type { Receipt, ReceiptsForReaders } from "../../../../src/worker-roomserver/receipts/api.ts";
import type { Storage } from "../../../../src/worker-roomserver/storage/api.ts";
import type { Nid, Position } from "../../../../src/worker-roomserver/storage/schema.ts";
import type { TypingForReaders } from "../../../../src/worker-roomserver/typing/api.ts";

/*
 * The components that sync reads besides the room server, in memory. What they do to the log is real: that is
 * what sync follows.
 */

const within = (position: Position, after: Position, upTo: Position) => position > after && position <= upTo;

export class AccountDataDouble implements AccountDataForReaders {
  readonly filters = new Map<string, JsonObject>();
  readonly #storage: Storage;
  readonly #rows = new Map<string, AccountDataEvent & { userId: string }>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async set(userId: string, roomId: string | null, type: string, content: JsonObject): Promise<void> {
    const [user, room] = await Promise.all([
      this.#storage.names.intern(userId),
      roomId === null ? 0 : this.#storage.names.intern(roomId),
    ]);
    await this.#storage.commit((write) => {
      const position = write.append({ topic: "accountData", user, room, detail: type });
      this.#rows.set(JSON.stringify([userId, roomId, type]), { userId, roomId, type, content, position });
    });
  }

  async changed(userId: string, after: Position, upTo: Position): Promise<AccountDataEvent[]> {
    return [...this.#rows.values()].filter(
      (row) => row.userId === userId && within(row.position, after, upTo),
    );
  }

  async stored(userId: string, type: string): Promise<JsonObject | undefined> {
    return this.#rows.get(JSON.stringify([userId, null, type]))?.content;
  }

  async filter(userId: string, filterId: string): Promise<JsonObject> {
    const filter = this.filters.get(`${userId} ${filterId}`);
    if (filter === undefined) throw notFound("There is no such filter.");
    return filter;
  }
}

export class TypingDouble implements TypingForReaders {
  readonly #storage: Storage;
  readonly #rooms = new Map<Nid, { users: string[]; position: Position }>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async set(room: Nid, users: string[]): Promise<void> {
    await this.#storage.commit(
      (write) => {
        this.#rooms.set(room, { users, position: write.append({ topic: "typing", room }) });
      },
      { relaxed: true },
    );
  }

  typists(room: Nid): string[] {
    return this.#rooms.get(room)?.users ?? [];
  }

  async changedRooms(rooms: readonly Nid[], after: Position, upTo: Position): Promise<Nid[]> {
    return rooms.filter((room) => within(this.#rooms.get(room)?.position ?? 0, after, upTo));
  }
}

export class ReceiptsDouble implements ReceiptsForReaders {
  readonly #storage: Storage;
  readonly #rows = new Map<string, Receipt>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async set(
    r: Nid,
    userId: string,
    eventId: string,
    { type = "m.read", thread = "", ts = 1 }: { type?: string; thread?: string; ts?: number } = {},
  ): Promise<void> {
    const u = await this.#storage.names.intern(userId);
    await this.#storage.commit((write) => {
      const p = write.append({ topic: "receipt", room: r, user: u, detail: type });
      const row = { r, u, userId, type, thread, eventId, order: p, ts, p };
      this.#rows.set(JSON.stringify([r, u, type, thread]), row);
    });
  }

  async changed(room: Nid, userId: string, after: Position, upTo: Position): Promise<Receipt[]> {
    return [...this.#rows.values()].filter(
      (row) =>
        row.r === room &&
        within(row.p, after, upTo) &&
        (row.type !== "m.read.private" || row.userId === userId),
    );
  }

  async own(userId: string, room: Nid): Promise<Receipt[]> {
    return [...this.#rows.values()].filter((row) => row.r === room && row.userId === userId);
  }
}

/** How many keys devices have left is made up; whose have changed is what the component itself keeps. */
export class KeysDouble implements KeysForReaders {
  readonly left = new Map<string, DeviceCounts>();
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** New keys, for all who share rooms. */
  async change(userId: string): Promise<void> {
    const user = await this.#storage.names.intern(userId);
    await this.#storage.commit((write) => tellAll(write, user, { what: "device", deviceId: "D" }));
  }

  /** New signatures, that only the signer sees. */
  async sign(signer: string, userId: string): Promise<void> {
    const [viewer, user] = await Promise.all(
      [signer, userId].map((name) => this.#storage.names.intern(name)),
    );
    await this.#storage.commit((write) => tellOwn(write, viewer!, [user!]));
  }

  async claim(userId: string, deviceId: string): Promise<void> {
    const user = await this.#storage.names.intern(userId);
    await this.#storage.commit((write) => tellClaimed(write, user, deviceId));
  }

  changedLists(userId: string, after: Position): Promise<Set<string> | undefined> {
    return changedLists(this.#storage, userId, after);
  }

  async counts(userId: string, deviceId: string): Promise<DeviceCounts> {
    return (
      this.left.get(`${userId} ${deviceId}`) ?? { oneTimeKeys: { signed_curve25519: 0 }, unusedFallbacks: [] }
    );
  }
}

export class PresenceDouble implements PresenceForReaders {
  readonly syncs: string[] = [];
  readonly #storage: Storage;
  readonly #rows = new Map<string, { presence: PresenceState; position: Position }>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async set(userId: string, presence: PresenceState): Promise<void> {
    const user = await this.#storage.names.intern(userId);
    await this.#storage.commit(
      (write) => {
        this.#rows.set(userId, { presence, position: write.append({ topic: "presence", user }) });
      },
      { relaxed: true },
    );
  }

  syncing(userId: string, presence: PresenceState): () => void {
    this.syncs.push(`${presence} begins`);
    // As careless as can be: each sync sets it, so that two clients that disagree set it in turns.
    if (presence !== "offline") void this.set(userId, presence);
    return () => this.syncs.push(`${presence} ends`);
  }

  active(): void {
    throw new Error("a sync is no activity");
  }

  async changed(users: ReadonlySet<string>, after: Position, upTo: Position): Promise<JsonObject[]> {
    return [...this.#rows]
      .filter(([userId, { position }]) => users.has(userId) && within(position, after, upTo))
      .map(([sender, { presence }]) => ({ type: "m.presence", sender, content: { presence } }));
  }
}

export class PushDouble implements PushForReaders {
  /** By `user id` and `room`, joined by a space. */
  readonly unread = new Map<string, UnreadCounts>();
  caughtUpTo: Position[] = [];

  async caughtUp(position: Position): Promise<void> {
    this.caughtUpTo.push(position);
  }

  async counts(userId: string, room: Nid): Promise<UnreadCounts> {
    return this.unread.get(`${userId} ${room}`) ?? { notification_count: 0, highlight_count: 0, threads: {} };
  }

  async rulesEvent(userId: string): Promise<JsonObject> {
    return { type: "m.push_rules", content: { global: { of: userId } } };
  }
}
