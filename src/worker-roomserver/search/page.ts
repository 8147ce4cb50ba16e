import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { EventNid } from "../storage/schema.ts";
import type { BlockStore } from "./block-store.ts";
import { type Found, find } from "./find.ts";
import type { Cursor } from "./order.ts";
import type { Query } from "./query.ts";
import type { Hit, Reach } from "./scan.ts";

/**
 * Hits whose events are read for one page at most: where a user may see hardly any of what matches, the page is short,
 * and the next one goes on behind what was looked at.
 */
const MOST_LOOKED_AT = 500;

export type Result = { hit: Hit; event: StoredEvent };

export type Page = {
  results: Result[];
  /** The last hit that was looked at, if there are more behind it. */
  last: Pick<Cursor, "rank" | "ts" | "nid"> | undefined;
  found: Found;
};

/** The next results of a search that the user may see. */
export async function readPage(
  parts: { room: RoomForReaders; blocks: BlockStore },
  userId: string,
  reaches: readonly Reach[],
  query: Query,
): Promise<Page> {
  const { wanted, orderBy, after, limit } = query;
  const found = await find(parts.blocks, reaches, { wanted, orderBy, after, count: MOST_LOOKED_AT });
  const results: Result[] = [];
  let looked = 0;
  while (results.length < limit && looked < found.hits.length) {
    const hits = found.hits.slice(looked, looked + limit - results.length);
    results.push(...(await visibleResults(parts.room, userId, hits)));
    looked += hits.length;
  }
  const isMore = looked < found.left.total;
  return { results, last: isMore ? found.hits[looked - 1] : undefined, found };
}

/** The events of hits, without those that the user may not see, or not in the words that were found. */
async function visibleResults(room: RoomForReaders, userId: string, hits: readonly Hit[]): Promise<Result[]> {
  const nids = hits.flatMap(({ nid, edit }) => (edit === 0 ? [nid] : [nid, edit]));
  const events = new Map<EventNid, StoredEvent>();
  for (const event of await room.presentEvents(nids)) {
    // What is gone by now is not shown, though the index has it still.
    if (event !== undefined && event.redactedBy === "") events.set(event.nid, event);
  }
  const visible = new Set<EventNid>();
  for (const inRoom of new Set(hits.map((hit) => hit.room))) {
    const own = [...events.values()].filter((event) => event.room === inRoom);
    for (const event of await room.visibleTo(userId, own)) {
      // Of who had their content erased, some get a copy without it: what was found in it is not theirs to find.
      if (events.get(event.nid) === event) visible.add(event.nid);
    }
  }
  return hits.flatMap((hit) => {
    const event = events.get(hit.nid);
    const isVisible = visible.has(hit.nid) && (hit.edit === 0 || visible.has(hit.edit));
    return event !== undefined && isVisible ? [{ hit, event }] : [];
  });
}
