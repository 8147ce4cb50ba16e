import type { ReadTransaction, Storage } from "../../storage/api.ts";
import type { EventRow, Nid, Position, SnapshotNid } from "../../storage/schema.ts";
import type { StoredEvent, TimelineChunk } from "../api.ts";
import type { EventStore } from "../event-store.ts";

type Parts = { storage: Storage; events: EventStore };

// The index is by [room, -order]: the newest come first.
const between = (room: Nid, after: number, upTo: number) =>
  IDBKeyRange.bound([room, -upTo], [room, -after], false, true);
const BEGINNING = Number.NEGATIVE_INFINITY;

/** Events with `after < order <= from`, newest first. One range, rows included. */
export async function eventsBackward(
  parts: Parts,
  room: Nid,
  range: { from: number; after?: number; count: number },
): Promise<StoredEvent[]> {
  const keys = between(room, range.after ?? BEGINNING, range.from);
  return parts.events.fromRows(await parts.storage.fromIndex("events", "timeline", keys, range.count));
}

/** Events with `after < order <= upTo`, oldest first. */
export async function eventsForward(
  parts: Parts,
  room: Nid,
  range: { after: number; upTo: number; count: number },
): Promise<StoredEvent[]> {
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

/** The room's current state as it was when the log stood at `position`; 0 before the room's first event. */
export async function snapshotAt(parts: Parts, room: Nid, position: Position): Promise<SnapshotNid> {
  const [row] = await parts.storage.fromIndex("events", "timeline", between(room, BEGINNING, position), 1);
  return row?.c ?? 0;
}

export async function hasEvents(
  parts: Parts,
  room: Nid,
  range: { after: number; upTo: number },
): Promise<boolean> {
  const keys = between(room, range.after, range.upTo);
  return (await parts.storage.keysFromIndex("events", "timeline", keys, 1)).length > 0;
}

/** The newest `limit` events of a stretch, oldest first. */
export async function timelineChunk(
  parts: Parts,
  room: Nid,
  range: { after: number; upTo: number; limit: number },
): Promise<TimelineChunk> {
  const { after, upTo, limit } = range;
  const found = await eventsBackward(parts, room, { from: upTo, after, count: limit + 1 });
  const events = found.slice(0, limit).reverse();
  const older = found[limit];
  const stateBefore = older?.current ?? (await snapshotAt(parts, room, events.length > 0 ? after : upTo));
  return { events, limited: older !== undefined, stateBefore };
}
