import type { ReadTransaction, Storage } from "../../storage/api.ts";
import type { EventRow, Nid, Position, SnapshotNid } from "../../storage/schema.ts";
import type { StoredEvent, TimelineChunk } from "../api.ts";
import type { EventStore } from "../event-store.ts";
import type { RecentEvents } from "../recent-events.ts";

type Parts = { storage: Storage; events: EventStore; recent: RecentEvents };

// The index is by [room, -order]: the newest come first.
const between = (room: Nid, after: number, upTo: number) =>
  IDBKeyRange.bound([room, -upTo], [room, -after], false, true);
const BEGINNING = Number.NEGATIVE_INFINITY;
// IndexedDB knows no range without a place in it, and tokens can be given the wrong way round.
const isEmpty = (after: number, upTo: number) => after >= upTo;

/**
 * Events with `after < order <= from`, newest first. From memory, or one range, rows included; what was read of the
 * timeline's end is in memory from then on.
 */
export async function eventsBackward(
  parts: Parts,
  room: Nid,
  { from, after = BEGINNING, count }: { from: number; after?: number; count: number },
): Promise<StoredEvent[]> {
  if (isEmpty(after, from)) return [];
  const recent = parts.recent.backward(room, { from, after, count });
  if (recent !== undefined) return parts.events.get(recent.map(({ event }) => event));
  const keep = parts.recent.reading(room, { from, after, count });
  // What is being put in further back must be there, as memory is told of it before it is written.
  await parts.storage.settled();
  const rows = await parts.storage.fromIndex("events", "timeline", between(room, after, from), count);
  const events = await parts.events.fromRows(rows);
  keep(events);
  return events;
}

/** Events with `after < order <= upTo`, oldest first. */
export async function eventsForward(
  parts: Parts,
  room: Nid,
  range: { after: number; upTo: number; count: number },
): Promise<StoredEvent[]> {
  if (isEmpty(range.after, range.upTo)) return [];
  const rows = await parts.storage.read(["events"], async (tx: ReadTransaction) => {
    const found: EventRow[] = [];
    const index = tx.objectStore("events").index("timeline");
    // The keys run the other way, and only a cursor goes backwards.
    let cursor = await index.openCursor(between(room, range.after, range.upTo), "prev");
    while (cursor !== null && found.length < range.count) {
      found.push(cursor.value);
      cursor = await cursor.continue();
    }
    return found;
  });
  return parts.events.fromRows(rows);
}

/** Whether events right before or after one of a timeline are not known here. Reads the next event. */
export async function isNextToGap(parts: Parts, { room, order, afterGap }: StoredEvent): Promise<boolean> {
  if (afterGap) return true;
  const [next] = await eventsForward(parts, room, { after: order, upTo: Number.POSITIVE_INFINITY, count: 1 });
  return next?.afterGap === true;
}

/** The room's current state as it was when the log stood at `position`; 0 before the room's first event. */
export async function snapshotAt(parts: Parts, room: Nid, position: Position): Promise<SnapshotNid> {
  const recent = parts.recent.backward(room, { from: position, after: BEGINNING, count: 1 });
  if (recent !== undefined) return recent[0]?.current ?? 0;
  const [row] = await parts.storage.fromIndex("events", "timeline", between(room, BEGINNING, position), 1);
  return row?.c ?? 0;
}

export async function hasEvents(
  parts: Parts,
  room: Nid,
  { after, upTo }: { after: number; upTo: number },
): Promise<boolean> {
  if (isEmpty(after, upTo)) return false;
  const recent = parts.recent.backward(room, { from: upTo, after, count: 1 });
  if (recent !== undefined) return recent.length > 0;
  const keys = between(room, after, upTo);
  return (await parts.storage.keysFromIndex("events", "timeline", keys, 1)).length > 0;
}

/** The room's state before the first event of a stretch that has no other before it. */
async function stateBefore(
  parts: Parts,
  room: Nid,
  { after, upTo }: { after: number; upTo: number },
  [first]: readonly StoredEvent[],
): Promise<SnapshotNid> {
  if (first === undefined) return snapshotAt(parts, room, upTo);
  const known = await snapshotAt(parts, room, after);
  // A room that begins here in the midst of its history.
  return known === 0 && first.afterGap ? first.stateBefore : known;
}

/** The newest `limit` events of a stretch without a gap, oldest first. */
export async function timelineChunk(
  parts: Parts,
  room: Nid,
  range: { after: number; upTo: number; limit: number },
): Promise<TimelineChunk> {
  const { after, upTo, limit } = range;
  const found = await eventsBackward(parts, room, { from: upTo, after, count: limit + 1 });
  // What is on the far side of a gap does not belong to the same stretch, though it may be the next that is known.
  const gap = found.findIndex((event) => event.afterGap);
  const end = gap === -1 ? limit : Math.min(gap + 1, limit);
  const events = found.slice(0, end).reverse();
  const older = found[end];
  return {
    events,
    limited: older !== undefined || end === gap + 1,
    stateBefore: older?.current ?? (await stateBefore(parts, room, range, events)),
  };
}
