import { forbidden } from "../../matrix/errors.ts";
import type { PositionedEntry } from "../log/entry.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { Typing, TypingForReaders, TypingForServers } from "./api.ts";
import { changedIn } from "./typing-log.ts";
import { TypistList } from "./typist-list.ts";

export type TypingOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "membershipOf" | "nid">;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** Clients repeat themselves every 20 to 30 seconds; what nobody takes back ends after this. */
const MAX_TIMEOUT_MS = 120_000;
/** As long as Synapse takes somebody of another server to be typing; servers repeat it before that. */
const REMOTE_TIMEOUT_MS = 60_000;
/** After so long it is told anew that somebody here still types. With what clients repeat, that is within a minute. */
const TELL_AGAIN_MS = 25_000;
/** Where to look for those who typed under the last leader. */
const LAST_ENTRIES = 2_000;

/**
 * Who types where, in memory. The log says in which room that has changed, so that syncs wake up and clients of
 * earlier positions are told.
 */
export class TypingInMemory implements Typing, TypingForReaders, TypingForServers {
  readonly #storage: Storage;
  readonly #room: TypingOptions["room"];
  readonly #now: () => number;
  readonly #lists = new Map<Nid, TypistList>();
  /** The newest change of each room under this leader. */
  readonly #changes = new Map<Nid, Position>();
  /** Changes at positions after this one are all in memory. */
  readonly #openedAt: Position;
  readonly #unsubscribe: () => void;

  constructor(options: TypingOptions) {
    this.#storage = options.storage;
    this.#room = options.room;
    this.#now = options.now;
    this.#openedAt = options.storage.position;
    this.#unsubscribe = options.storage.onEntries((entries) => this.#follow(entries));
  }

  async set(
    requester: Requester,
    roomId: string,
    userId: string,
    typing: boolean,
    timeout: number,
  ): Promise<void> {
    if (requester.userId !== userId) throw forbidden("Only users themselves can say that they type.");
    const room = await this.#joinedRoom(userId, roomId);
    if (room === undefined) throw forbidden("You are not in this room.");
    const list = this.#list(room);
    const lasts = Math.min(timeout, MAX_TIMEOUT_MS);
    const isNews = typing && lasts > 0 ? list.start(userId, lasts, TELL_AGAIN_MS) : list.stop(userId);
    if (isNews) await this.#tell(room);
  }

  async hear(roomId: string, userId: string, typing: boolean): Promise<void> {
    const room = await this.#joinedRoom(userId, roomId);
    if (room === undefined) return;
    const list = this.#list(room);
    if (typing ? list.start(userId, REMOTE_TIMEOUT_MS) : list.stop(userId)) await this.#tell(room);
  }

  typists(room: Nid): string[] {
    return this.#lists.get(room)?.typists() ?? [];
  }

  async changedRooms(rooms: readonly Nid[], after: Position, upTo: Position): Promise<Nid[]> {
    const earlier = await changedIn(this.#storage, after, Math.min(upTo, this.#openedAt));
    return rooms.filter((room) => {
      const change = this.#changes.get(room) ?? 0;
      return earlier === "unknown" || earlier.has(room) || (change > after && change <= upTo);
    });
  }

  /** Tells rooms in which somebody typed when the last leader went. */
  async forgetLastLeader(): Promise<void> {
    const rooms = await changedIn(this.#storage, this.#openedAt - LAST_ENTRIES, this.#openedAt);
    if (rooms === "unknown") return;
    const left = [...rooms].filter(([, detail]) => detail !== "");
    if (left.length > 0) await this.#append(left.map(([room]) => room));
  }

  close(): void {
    this.#unsubscribe();
    for (const list of this.#lists.values()) list.close();
  }

  async #joinedRoom(userId: string, roomId: string): Promise<Nid | undefined> {
    const room = await this.#room.nid(roomId);
    const info = room === undefined ? undefined : await this.#room.membershipOf(userId, room);
    return info?.membership === "join" ? info.room : undefined;
  }

  #list(room: Nid): TypistList {
    const known = this.#lists.get(room);
    if (known !== undefined) return known;
    const list = new TypistList(this.#now, () => this.#inBackground(this.#tell(room)));
    this.#lists.set(room, list);
    return list;
  }

  #tell(room: Nid): Promise<void> {
    return this.#append([room]);
  }

  async #append(rooms: readonly Nid[]): Promise<void> {
    await this.#storage.commit(
      (write) => {
        for (const room of rooms) {
          write.append({ topic: "typing", room, detail: this.typists(room).length > 0 ? "some" : "" });
        }
      },
      { relaxed: true },
    );
  }

  #follow(entries: readonly PositionedEntry[]): void {
    for (const { topic, room, user, position } of entries) {
      if (topic === "typing") this.#changes.set(room, position);
      // Who has left types no more.
      if ((topic === "room" || topic === "state") && user !== 0 && this.typists(room).length > 0) {
        this.#inBackground(this.#dropIfGone(room, user));
      }
    }
  }

  async #dropIfGone(room: Nid, user: Nid): Promise<void> {
    const userId = await this.#storage.names.text(user);
    const info = await this.#room.membershipOf(userId, room);
    if (info?.membership !== "join" && this.#list(room).stop(userId)) await this.#tell(room);
  }

  /** What nobody waits for. If it fails, the worst is that others see somebody type a little longer. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => console.warn("hearth: a change of who types was not told", error));
  }
}
