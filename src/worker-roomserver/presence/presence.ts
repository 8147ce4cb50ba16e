import { forbidden } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type {
  HeardPresence,
  Presence,
  PresenceContent,
  PresenceForReaders,
  PresenceForServers,
  PresenceState,
} from "./api.ts";
import { RemotePresence } from "./remote-presence.ts";
import {
  type Activity,
  absent,
  acted,
  nextChangeAt,
  presenceAt,
  presenceSet,
  type Seen,
  syncBegun,
  syncEnded,
} from "./state.ts";

export type PresenceOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "sharingUsers">;
  /** Milliseconds since 1970. */
  now: () => number;
};

type User = {
  activity: Activity;
  statusMsg: string;
  /** What others have last been told; undefined when it is not certain that they have. */
  told: (Seen & { statusMsg: string; at: number }) | undefined;
  /** The log entry that told them. */
  position: Position;
  timer?: ReturnType<typeof setTimeout>;
};

/**
 * After so long it is told anew that somebody is there, though nothing has changed: other servers take those whom they do
 * not hear of for half an hour to be gone.
 */
const TELL_AGAIN_MS = 25 * 60_000;

/**
 * The presence of this server's users, and beside it that of others (remote-presence.ts). What others see follows from what the users' clients do and from the
 * clock (state.ts); each change of it is a row and an entry of the log. Timers only see to it that changes which
 * come with time alone are told in time.
 */
export class KeptPresence implements Presence, PresenceForReaders, PresenceForServers {
  readonly #storage: Storage;
  readonly #room: PresenceOptions["room"];
  readonly #now: () => number;
  readonly #users = new Map<string, User>();
  readonly #remote: RemotePresence;
  readonly #unsubscribe: () => void;

  constructor(options: PresenceOptions) {
    this.#storage = options.storage;
    this.#room = options.room;
    this.#now = options.now;
    this.#remote = new RemotePresence(options.storage, options.now);
    this.#unsubscribe = options.storage.onRollback(() => this.#forgetUntold());
  }

  async load(): Promise<void> {
    const everything = IDBKeyRange.lowerBound(0);
    const [keys, rows] = await Promise.all([
      this.#storage.getAllKeys("presence", everything),
      this.#storage.getAll("presence", everything),
    ]);
    const userIds = await Promise.all(keys.map((key) => this.#storage.names.text(key)));
    rows.forEach(({ presence, statusMsg, lastActiveTs, p }, i) => {
      const connectedTs = presence === "offline" ? absent.connectedTs : this.#now();
      this.#users.set(userIds[i]!, {
        activity: { ...absent, connectedTs, lastActiveTs },
        statusMsg,
        told: { presence, statusMsg, currentlyActive: presence === "online", at: this.#now() },
        position: p,
      });
    });
    await Promise.all(userIds.map((userId) => this.#tell(userId)));
  }

  async set(
    requester: Requester,
    userId: string,
    presence: PresenceState,
    statusMsg: string | undefined,
  ): Promise<void> {
    if (requester.userId !== userId) throw forbidden("Only users themselves can set their presence.");
    const user = this.#user(userId);
    user.statusMsg = statusMsg ?? "";
    user.activity = presenceSet(user.activity, presence, this.#now());
    await this.#tell(userId);
  }

  async get(requester: Requester, userId: string): Promise<PresenceContent> {
    if (requester.userId !== userId && !(await this.#room.sharingUsers(requester.userId)).has(userId)) {
      throw forbidden("You share no room with this user.");
    }
    return this.#remote.content(userId) ?? this.#content(this.#users.get(userId));
  }

  syncing(userId: string, presence: PresenceState): () => void {
    if (presence === "offline") return () => undefined;
    this.#change(userId, (activity, now) => syncBegun(activity, presence, now));
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#change(userId, (activity, now) => syncEnded(activity, presence, now));
    };
  }

  active(userId: string): void {
    this.#change(userId, acted);
  }

  async changed(users: ReadonlySet<string>, after: Position, upTo: Position): Promise<JsonObject[]> {
    const events: JsonObject[] = [];
    for (const sender of users) {
      const user = this.#users.get(sender);
      if (user === undefined) {
        const event = this.#remote.changed(sender, after, upTo);
        if (event !== undefined) events.push(event);
        continue;
      }
      if (user.position <= after || user.position > upTo) continue;
      const content = this.#content(user);
      // Nobody has to be told at the beginning that somebody is not there.
      if (after === 0 && content.presence === "offline" && user.statusMsg === "") continue;
      events.push({ type: "m.presence", sender, content });
    }
    return events;
  }

  hear(updates: ReadonlyMap<string, HeardPresence>): Promise<void> {
    return this.#remote.hear(updates);
  }

  close(): void {
    this.#unsubscribe();
    this.#remote.close();
    for (const user of this.#users.values()) clearTimeout(user.timer);
  }

  #user(userId: string): User {
    const known = this.#users.get(userId);
    if (known !== undefined) return known;
    const user: User = {
      activity: absent,
      statusMsg: "",
      told: { ...nothing, at: this.#now() },
      position: 0,
    };
    this.#users.set(userId, user);
    return user;
  }

  #content(user: User | undefined): PresenceContent {
    if (user === undefined) return { presence: "offline" };
    const now = this.#now();
    const { presence, currentlyActive } = presenceAt(user.activity, now);
    const { lastActiveTs } = user.activity;
    return {
      presence,
      ...(lastActiveTs > 0 && { last_active_ago: Math.max(0, now - lastActiveTs) }),
      ...(presence === "online" && { currently_active: currentlyActive }),
      ...(user.statusMsg !== "" && { status_msg: user.statusMsg }),
    };
  }

  #change(userId: string, change: (activity: Activity, now: number) => Activity): void {
    const user = this.#user(userId);
    user.activity = change(user.activity, this.#now());
    this.#tellInBackground(userId);
  }

  /** If it fails, others see an old presence until the next change. */
  #tellInBackground(userId: string): void {
    this.#tell(userId).catch((error: unknown) => console.warn("hearth: a presence was not told", error));
  }

  /** Writes the user's presence if it is not what others have been told. */
  async #tell(userId: string): Promise<void> {
    this.#setTimer(userId);
    if (!this.#isNews(this.#user(userId))) return;
    const nid = await this.#storage.names.intern(userId);
    const user = this.#user(userId);
    if (!this.#isNews(user)) return; // somebody else came first
    const { statusMsg, activity } = user;
    const seen = presenceAt(activity, this.#now());
    const { presence } = seen;
    const at = this.#now();
    await this.#storage.commit(
      (write) => {
        const p = write.append({ topic: "presence", user: nid });
        write.put("presence", { presence, statusMsg, lastActiveTs: activity.lastActiveTs, p }, nid);
        user.told = { ...seen, statusMsg, at };
        user.position = p;
      },
      { relaxed: true },
    );
  }

  #isNews({ activity, statusMsg, told }: User): boolean {
    const { presence, currentlyActive } = presenceAt(activity, this.#now());
    return (
      told === undefined ||
      told.presence !== presence ||
      told.currentlyActive !== currentlyActive ||
      told.statusMsg !== statusMsg ||
      (presence !== "offline" && this.#now() >= told.at + TELL_AGAIN_MS)
    );
  }

  #setTimer(userId: string): void {
    const user = this.#user(userId);
    clearTimeout(user.timer);
    const now = this.#now();
    if (presenceAt(user.activity, now).presence === "offline") return;
    const again = (user.told?.at ?? now) + TELL_AGAIN_MS;
    const next = Math.min(
      nextChangeAt(user.activity, now) ?? again,
      again > now ? again : now + TELL_AGAIN_MS,
    );
    user.timer = setTimeout(() => this.#tellInBackground(userId), next - now);
  }

  /** What was queued is lost. It is told with the next change, not at once: the disk may be full. */
  #forgetUntold(): void {
    this.#remote.forgetUntold();
    for (const user of this.#users.values()) {
      if (user.position > this.#storage.position) user.told = undefined;
    }
  }
}

const nothing = { presence: "offline", currentlyActive: false, statusMsg: "" } as const;
