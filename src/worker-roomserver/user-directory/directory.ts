import { Breath } from "../node/breathe.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { DirectoryUser, UserDirectory } from "./api.ts";
import { compareRanked, type Listed, parseTerm, type Ranked, rankOf, type Term } from "./match.ts";
import { OpenRooms } from "./open-rooms.ts";
import { RoomMembers } from "./room-members.ts";

/** Users of one answer. */
const USUAL_LIMIT = 10;
const LARGEST_LIMIT = 50;

export type UserDirectoryOptions = { storage: Storage; room: RoomForReaders; serverName: string };

export class Directory implements UserDirectory {
  readonly #storage: Storage;
  readonly #room: RoomForReaders;
  readonly #open: OpenRooms;
  readonly #members: RoomMembers;

  constructor(options: UserDirectoryOptions) {
    this.#storage = options.storage;
    this.#room = options.room;
    this.#open = new OpenRooms(options);
    this.#members = new RoomMembers(options.storage, options.room);
  }

  async search(
    requester: Requester,
    text: string,
    wanted: number | undefined,
  ): Promise<{ results: DirectoryUser[]; limited: boolean }> {
    const term = parseTerm(text);
    if (term === undefined) return { results: [], limited: false };
    const limit = Math.min(Math.max(wanted ?? USUAL_LIMIT, 1), LARGEST_LIMIT);
    // What is told of must be durable, and memory may be ahead of the disk.
    await this.#storage.settled();
    const found = await this.#find(requester.userId, term);
    const ranked = [...found.values()].sort(compareRanked);
    return {
      results: ranked.slice(0, limit).map(({ person }) => directoryUser(person)),
      limited: ranked.length > limit,
    };
  }

  close(): void {
    this.#open.close();
    this.#members.close();
  }

  /** Whoever matches, by user id, as they match best: somebody may have another name in each room. */
  async #find(userId: string, term: Term): Promise<Map<string, Ranked>> {
    const infos = await this.#room.membershipsOf(userId);
    const own = infos.filter(({ membership }) => membership === "join").map(({ room }) => room);
    const found = new Map<string, Ranked>();
    const breath = new Breath();
    for (const room of new Set([...own, ...(await this.#open.all())])) {
      for (const person of await this.#members.of(room)) {
        const rank = person.userId === userId ? undefined : rankOf(person, term);
        if (rank === undefined) continue;
        const known = found.get(person.userId);
        if (known === undefined || compareRanked({ person, rank }, known) < 0) {
          found.set(person.userId, { person, rank });
        }
      }
      await breath.take();
    }
    return found;
  }
}

function directoryUser({ userId, displayName, avatarUrl }: Listed): DirectoryUser {
  return {
    user_id: userId,
    ...(displayName !== undefined && { display_name: displayName }),
    ...(avatarUrl !== undefined && { avatar_url: avatarUrl }),
  };
}
