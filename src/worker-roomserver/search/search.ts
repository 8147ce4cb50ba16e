import { DurableReader } from "../log/reader.ts";
import { jsonBytes } from "../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../node/requester.ts";
import { answerOf } from "./answer.ts";
import type { RoomEventsCriteria, Search } from "./api.ts";
import { BlockStore } from "./block-store.ts";
import { Indexer } from "./indexer.ts";
import type { SearchOptions } from "./options.ts";
import { readPage } from "./page.ts";
import { mayBeIn, parseQuery, type Query } from "./query.ts";
import { reachOf } from "./reach.ts";
import type { Reach } from "./scan.ts";

/** Messages gather before they are put into the index, unless somebody searches: a block is written as a whole. */
const GATHER_MS = 2_000;

/** The index of all rooms, and the searches in it. */
export class RoomSearch implements Search {
  readonly #options: SearchOptions;
  readonly #blocks: BlockStore;
  readonly #indexer: Indexer;
  readonly #reader: DurableReader;

  constructor(options: SearchOptions) {
    const { storage, room } = options;
    const blocks = new BlockStore(storage);
    const indexer = new Indexer({ storage, room, blocks });
    this.#options = options;
    this.#blocks = blocks;
    this.#indexer = indexer;
    this.#reader = new DurableReader({
      storage,
      name: "search",
      gatherMs: GATHER_MS,
      handle: (entries) => indexer.handle(entries),
      reset: () => indexer.reset(),
    });
  }

  async roomEvents(
    requester: Requester,
    criteria: RoomEventsCriteria,
    nextBatch: string | undefined,
  ): Promise<JsonBytes> {
    const { storage, room, ignoredBy } = this.#options;
    const ignored = await ignoredBy(requester.userId);
    const query = await parseQuery(criteria, nextBatch, storage.names, ignored);
    await this.caughtUp();
    // The index may be ahead of what the disk has of memberships, never behind.
    await storage.settled();
    const reaches = query.wanted.phrases.length === 0 ? [] : await this.#reaches(requester.userId, query);
    const page = await readPage({ room, blocks: this.#blocks }, requester.userId, reaches, query);
    const parts = { room, names: storage.names };
    const term = criteria.search_term;
    const roomEvents = await answerOf(parts, { requester, ignored }, term, query, page, reaches);
    return jsonBytes({ search_categories: { room_events: roomEvents } });
  }

  /** Resolves once the index has all that was there when it was asked. */
  async caughtUp(): Promise<void> {
    await this.#reader.caughtUp(this.#options.storage.position);
    await this.#indexer.built();
  }

  close(): void {
    this.#reader.stop();
  }

  async #reaches(userId: string, query: Query): Promise<Reach[]> {
    const { room } = this.#options;
    const infos = (await room.membershipsOf(userId)).filter((info) => mayBeIn(query, info.room, info.roomId));
    const reaches = await Promise.all(infos.map((info) => reachOf(room, info)));
    return reaches.filter((reach) => reach !== undefined);
  }
}
