import type { JsonObject } from "../../matrix/json.ts";
import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Position } from "../storage/schema.ts";
import type { HeardPresence, PresenceContent } from "./api.ts";

/** Users of other servers that are known; who was not heard of for the longest time is forgotten beyond it. */
const MOST_KNOWN = 20_000;
/** Servers repeat themselves within this time, as Synapse has it: who is not heard of for so long is not there. */
const HEARD_MS = 30 * 60_000;

type RemoteUser = HeardPresence & {
  heardAt: number;
  /** The log entry that told it. */
  position: Position;
};

/**
 * What other servers have said of the presence of their users. In memory alone: it is out of date by itself within half
 * an hour, and all of a large room would have to be read at each opening.
 */
export class RemotePresence {
  readonly #storage: Storage;
  readonly #now: () => number;
  readonly #users = new Lru<string, RemoteUser>(MOST_KNOWN);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(storage: Storage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
  }

  /** @see PresenceForServers.hear */
  async hear(updates: ReadonlyMap<string, HeardPresence>): Promise<void> {
    const news = [...updates].filter(([userId, heard]) => this.#isNews(userId, heard));
    const heardAt = this.#now();
    for (const [userId, heard] of updates) {
      const before = this.#users.get(userId);
      if (before !== undefined) this.#users.set(userId, { ...before, ...heard, heardAt });
    }
    await this.#tell(news.map(([userId, heard]) => [userId, { ...heard, heardAt }]));
    this.#lookLater();
  }

  content(userId: string): PresenceContent | undefined {
    const user = this.#users.get(userId);
    if (user === undefined) return undefined;
    const { presence, currentlyActive, statusMsg, lastActiveTs } = this.#seen(user);
    return {
      presence,
      ...(lastActiveTs > 0 && { last_active_ago: Math.max(0, this.#now() - lastActiveTs) }),
      ...(presence === "online" && { currently_active: currentlyActive }),
      ...(statusMsg !== "" && { status_msg: statusMsg }),
    };
  }

  /** The event for who is told of changes at `after < position <= upTo`. */
  changed(sender: string, after: Position, upTo: Position): JsonObject | undefined {
    const user = this.#users.get(sender);
    if (user === undefined || user.position <= after || user.position > upTo) return undefined;
    const content = this.content(sender);
    if (content === undefined) return undefined;
    if (after === 0 && content.presence === "offline" && user.statusMsg === "") return undefined;
    return { type: "m.presence", sender, content };
  }

  /** What was queued is lost; it is heard again. */
  forgetUntold(): void {
    for (const [userId] of this.#users.filter(({ position }) => position > this.#storage.position)) {
      this.#users.delete(userId);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #tell(news: readonly [userId: string, user: Omit<RemoteUser, "position">][]): Promise<void> {
    if (news.length === 0) return;
    const nids = await Promise.all(news.map(([userId]) => this.#storage.names.intern(userId)));
    await this.#storage.commit(
      (write) => {
        news.forEach(([userId, user], i) => {
          const position = write.append({ topic: "presence", user: nids[i]! });
          this.#users.set(userId, { ...user, position });
        });
      },
      { relaxed: true },
    );
  }

  #isNews(userId: string, heard: HeardPresence): boolean {
    const user = this.#users.get(userId);
    const known = user === undefined ? nothing : this.#seen(user);
    return (
      known.presence !== heard.presence ||
      known.currentlyActive !== heard.currentlyActive ||
      known.statusMsg !== heard.statusMsg
    );
  }

  #seen(user: RemoteUser): HeardPresence {
    if (this.#now() < user.heardAt + HEARD_MS) return user;
    return { ...user, presence: "offline", currentlyActive: false };
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look().catch((error: unknown) => console.warn("hearth: a presence was not told", error));
    }, HEARD_MS);
  }

  /** Tells of those who have not been heard of for too long. */
  async #look(): Promise<void> {
    const present = this.#users.filter(({ presence }) => presence !== "offline");
    const silent = present.filter(([, user]) => this.#seen(user) !== user);
    if (present.length > silent.length) this.#lookLater();
    await this.#tell(silent.map(([userId, user]) => [userId, { ...user, ...this.#seen(user) }]));
  }
}

const nothing: HeardPresence = {
  presence: "offline",
  currentlyActive: false,
  statusMsg: "",
  lastActiveTs: 0,
};
