import { Breath } from "../node/breathe.ts";
import type { Nid } from "../storage/schema.ts";
import type { BlockStore } from "./block-store.ts";
import { type Cursor, comparing, First, type OrderBy } from "./order.ts";
import { type Hit, type Reach, scan, type Wanted } from "./scan.ts";

/** Blocks of a room that are read from the disk together: 2 MB. */
const READ_AT_ONCE = 64;

export type Found = {
  /** In their order, those after the cursor. */
  hits: Hit[];
  /** All that the user certainly may see, before the cursor and after it. */
  certain: number;
  /** Hits after the cursor, by room and by sender. */
  left: { total: number; rooms: Map<Nid, number>; senders: Map<Nid, number> };
};

export type Search = {
  wanted: Wanted;
  orderBy: OrderBy;
  after: Pick<Cursor, "rank" | "ts" | "nid"> | undefined;
  /** Hits that are wanted at most. */
  count: number;
};

/** Looks through all documents of some rooms. Others get their turn in between. */
export async function find(blocks: BlockStore, reaches: readonly Reach[], search: Search): Promise<Found> {
  const first = new First<Hit>(search.count, comparing[search.orderBy]);
  const left: Found["left"] = { total: 0, rooms: new Map(), senders: new Map() };
  let certain = 0;
  const breath = new Breath();
  for (const reach of reaches) {
    const inRoom = await findIn(blocks, reach, search, breath);
    for (const hit of inRoom.first.take()) first.add(hit);
    certain += inRoom.certain;
    if (inRoom.total === 0) continue;
    left.total += inRoom.total;
    left.rooms.set(reach.room, inRoom.total);
    for (const [sender, count] of inRoom.senders) raise(left.senders, sender, count);
  }
  return { hits: first.take(), certain, left };
}

type FoundInRoom = { first: First<Hit>; certain: number; total: number; senders: Map<Nid, number> };

/** What there is in one room, from its blocks as they all were at one time. */
async function findIn(
  blocks: BlockStore,
  reach: Reach,
  { wanted, orderBy, after, count }: Search,
  breath: Breath,
): Promise<FoundInRoom> {
  const compare = comparing[orderBy];
  for (;;) {
    const before = blocks.layoutChanges;
    const found: FoundInRoom = {
      first: new First<Hit>(count, compare),
      certain: 0,
      total: 0,
      senders: new Map(),
    };
    const take = (hit: Hit, isCertain: boolean) => {
      if (isCertain) found.certain += 1;
      if (after !== undefined && compare(hit, after) <= 0) return;
      found.first.add(hit);
      found.total += 1;
      raise(found.senders, hit.sender, 1);
    };
    const layout = await blocks.layout(reach.room);
    for (let at = 0; at < layout.length; at += READ_AT_ONCE) {
      await breath.take();
      const read = await blocks.read(reach.room, layout.slice(at, at + READ_AT_ONCE));
      for (const block of read) scan(block, wanted, reach, take);
    }
    // A block that was divided meanwhile would be there in part, or twice.
    if (before === blocks.layoutChanges) return found;
  }
}

function raise(counts: Map<Nid, number>, key: Nid, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
