import { invalidParam } from "../../../matrix/errors.ts";
import { parseServerName } from "../../../matrix/identifiers.ts";
import { isShownToAll, type PublishedRoom, publishedRoom } from "../../../matrix/room-summary.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes } from "../../node/requester.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid } from "../../storage/schema.ts";
import type { PublicRoomsQuery } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { directoryOf } from "./network-directories.ts";
import { previewOf } from "./preview.ts";
import { comparePlaces, publicRoomsPage } from "./public-rooms-page.ts";

/** Rooms that are looked at for one answer. Somebody who publishes more makes a joke of the directory. */
const LISTED = 5_000;
/** Characters of what is kept of all rooms. */
const KEPT_CHARACTERS = 4_000_000;
/** Rooms that are read at once: enough to share transactions, and memory for only so many. */
const READ_TOGETHER = 100;

/** What is known of a published room; `shown` is undefined for one that the directory leaves out. */
type Entry = { shown: PublishedRoom | undefined };

/**
 * The public directory of this server. Rooms are ordered by their size, so an answer takes all of them: what the
 * directory tells of each is kept until something happens in the room.
 */
export class PublicRooms {
  readonly #parts: RoomParts;
  readonly #entries = new Lru<Nid, Entry>(KEPT_CHARACTERS, ({ shown }) => lengthOf(shown));
  /** Rooms that are being read, and in which nothing has happened meanwhile. */
  readonly #reading = new Map<Nid, Promise<Entry>>();

  constructor(parts: RoomParts) {
    this.#parts = parts;
    parts.storage.onEntries((entries) => {
      for (const { topic, room } of entries) if (topic === "room" || topic === "state") this.#changed(room);
    });
    parts.storage.onRollback(() => {
      this.#entries.clear();
      this.#reading.clear();
    });
  }

  /**
   * `GET` and `POST /publicRooms`. A room is listed while it is published, somebody is in it, and anybody may read it,
   * join it or knock: what has been closed since is not told of to all the world.
   *
   * Costs one range of keys, two for all networks; for each room in which something has happened since the last answer, some state entries
   * and once its members; and a pass over all listed rooms, at most `LISTED`.
   * @throws MatrixError M_INVALID_PARAM (400); what `RemoteQuestions.publicRooms` throws for the directory of another server
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
   */
  async list(query: PublicRoomsQuery): Promise<JsonBytes> {
    if (query.third_party_instance_id !== undefined && query.include_all_networks === true) {
      throw invalidParam("third_party_instance_id goes with include_all_networks only where that is false.");
    }
    const { server, ...asked } = query;
    if (server !== undefined && server !== this.#parts.author.serverName) {
      return jsonBytes(await this.#parts.questions.publicRooms(parseServerName(server), asked));
    }
    const rooms = await durable(this.#parts.storage, () => this.#listed(query));
    return jsonBytes(publicRoomsPage(rooms, query));
  }

  async #listed(query: PublicRoomsQuery): Promise<PublishedRoom[]> {
    const published = await directoryOf(this.#parts.storage, query, LISTED);
    const listed: PublishedRoom[] = [];
    for (let at = 0; at < published.length; at += READ_TOGETHER) {
      const part = published.slice(at, at + READ_TOGETHER);
      const entries = await Promise.all(part.map((room) => this.#entries.get(room) ?? this.#readOnce(room)));
      listed.push(...entries.flatMap(({ shown }) => shown ?? []));
    }
    return listed.sort(comparePlaces);
  }

  #readOnce(room: Nid): Promise<Entry> {
    const underWay = this.#reading.get(room);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(room);
    this.#reading.set(room, reading);
    const ended = (entry: Entry | undefined) => {
      if (this.#reading.get(room) !== reading) return;
      this.#reading.delete(room);
      if (entry !== undefined) this.#entries.set(room, entry);
    };
    reading.then(ended, () => ended(undefined));
    return reading;
  }

  async #read(room: Nid): Promise<Entry> {
    const preview = await previewOf(this.#parts, await this.#parts.storage.names.text(room));
    const isShown = preview !== undefined && isShownToAll(preview.state, preview.rules);
    return { shown: isShown ? publishedRoom(preview) : undefined };
  }

  #changed(room: Nid): void {
    this.#entries.delete(room);
    this.#reading.delete(room);
  }
}

/** Of what somebody may have made long. */
function lengthOf(shown: PublishedRoom | undefined): number {
  return 100 + (shown === undefined ? 0 : JSON.stringify(shown).length);
}
