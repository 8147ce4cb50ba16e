import { domainOf } from "../../../matrix/domain.ts";
import { publishedRoom, type SummaryState, summaryTypes } from "../../../matrix/room-summary.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomHead } from "../room-head.ts";
import type { RoomListing } from "./api.ts";

/** Rooms that a list goes through. */
const LISTED = 20_000;
/** Rooms that are read at once: enough to share transactions, and memory for only so many. */
const READ_TOGETHER = 50;

/** What is not a matter of a room's events. */
type Kept = Omit<RoomListing, "published">;

/** What lists tell of rooms, kept until something happens in them. */
export class RoomListings {
  readonly #parts: RoomParts;
  readonly #kept = new Lru<Nid, Kept>(LISTED);
  /** Rooms that are being read, and in which nothing has happened meanwhile. */
  readonly #reading = new Map<Nid, Promise<Kept | undefined>>();

  constructor(parts: RoomParts) {
    this.#parts = parts;
    parts.storage.onEntries((entries) => {
      for (const { topic, room } of entries) if (isAboutTimeline.has(topic)) this.#forget(room);
    });
    parts.storage.onRollback(() => {
      this.#kept.clear();
      this.#reading.clear();
    });
  }

  async all(): Promise<RoomListing[]> {
    const { storage } = this.#parts;
    const [rooms, published] = await Promise.all([
      storage.getAllKeys("rooms", undefined, LISTED),
      storage.getAllKeys("published"),
    ]);
    const isPublished = new Set(published);
    const listed: RoomListing[] = [];
    for (let at = 0; at < rooms.length; at += READ_TOGETHER) {
      const part = rooms.slice(at, at + READ_TOGETHER);
      const read = await Promise.all(part.map((room) => this.#kept.get(room) ?? this.#readOnce(room)));
      for (const [i, kept] of read.entries()) {
        if (kept !== undefined) listed.push({ ...kept, published: isPublished.has(part[i]!) });
      }
    }
    return listed;
  }

  async of(head: RoomHead): Promise<RoomListing> {
    return { ...(await this.#listing(head)), published: await this.#parts.directory.isPublished(head.nid) };
  }

  #readOnce(room: Nid): Promise<Kept | undefined> {
    const underWay = this.#reading.get(room);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(room);
    this.#reading.set(room, reading);
    const ended = (kept: Kept | undefined) => {
      if (this.#reading.get(room) !== reading) return;
      this.#reading.delete(room);
      if (kept !== undefined) this.#kept.set(room, kept);
    };
    reading.then(ended, () => ended(undefined));
    return reading;
  }

  /** @returns undefined for a room that has just been purged */
  async #read(room: Nid): Promise<Kept | undefined> {
    const { storage, heads } = this.#parts;
    const head = await heads.find(await storage.names.text(room));
    return head && this.#listing(head);
  }

  async #listing(head: RoomHead): Promise<Kept> {
    const { memberships, author } = this.#parts;
    const [contents, create, members, { events, last }] = await Promise.all([
      Promise.all(
        summaryTypes.map(async (type) => [type, (await head.state(type, ""))?.pdu.content] as const),
      ),
      head.state("m.room.create", ""),
      memberships.joined(head.nid),
      this.#timelineOf(head.nid),
    ]);
    const state = Object.fromEntries(contents) as SummaryState;
    const shown = publishedRoom({ roomId: head.roomId, rules: head.rules, joined: members.size, state });
    const encryption = state["m.room.encryption"]?.algorithm;
    return {
      room_id: head.roomId,
      room_version: head.rules.id,
      ...(shown.name !== undefined && { name: shown.name }),
      ...(shown.canonical_alias !== undefined && { canonical_alias: shown.canonical_alias }),
      ...(shown.room_type !== undefined && { room_type: shown.room_type }),
      ...(create !== undefined && { creator: create.pdu.sender }),
      join_rule: shown.join_rule,
      ...(typeof encryption === "string" && { encryption }),
      joined_members: members.size,
      joined_local_members: countLocal(members, author.serverName),
      events,
      last_ts: last,
    };
  }

  /** Counts keys, and reads one row. */
  async #timelineOf(room: Nid): Promise<{ events: number; last: number }> {
    // "" is the place of what is in no timeline, and sorts after all numbers.
    const range = IDBKeyRange.bound([room], [room, ""], false, true);
    return this.#parts.storage.read(["events"], async (tx) => {
      const index = tx.objectStore("events").index("timeline");
      const [events, newest] = await Promise.all([index.count(range), index.get(range)]);
      return { events, last: newest?.ts ?? 0 };
    });
  }

  #forget(room: Nid): void {
    this.#kept.delete(room);
    this.#reading.delete(room);
  }
}

const isAboutTimeline: ReadonlySet<string> = new Set(["room", "state", "history", "purge"]);

function countLocal(members: Iterable<string>, serverName: string): number {
  let count = 0;
  for (const userId of members) if (domainOf(userId) === serverName) count += 1;
  return count;
}
