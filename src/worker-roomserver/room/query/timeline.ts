import type { ReadTransaction } from "../../storage/api.ts";
import type { EventNid, Nid, Position, SnapshotNid } from "../../storage/schema.ts";
import type { TimelineChunk } from "../api.ts";
import type { RoomParts } from "../parts.ts";

/** A place in a room's timeline: its event, and the room's current state once that was taken in. */
export type TimelinePlace = { order: number; event: EventNid; current: SnapshotNid };

// Keys are [room, -order]: the newest come first.
const before = (room: Nid, from: number, after: number) =>
  IDBKeyRange.bound([room, -from], [room, -after], false, true);
const BEGINNING = Number.NEGATIVE_INFINITY;

/** Places with `after < order <= from`, newest first. One range of thin rows. */
export async function placesBackward(
  parts: RoomParts,
  room: Nid,
  range: { from: number; after?: number; count: number },
): Promise<TimelinePlace[]> {
  const keys = before(room, range.from, range.after ?? BEGINNING);
  const [orders, rows] = await Promise.all([
    parts.storage.getAllKeys("timeline", keys, range.count),
    parts.storage.getAll("timeline", keys, range.count),
  ]);
  return rows.map(([event, current], i) => ({ order: -orders[i]![1], event, current }));
}

/** Places with `after < order <= upTo`, oldest first. */
export function placesForward(
  parts: RoomParts,
  room: Nid,
  range: { after: number; upTo: number; count: number },
): Promise<TimelinePlace[]> {
  return parts.storage.read(["timeline"], async (tx: ReadTransaction) => {
    const places: TimelinePlace[] = [];
    // The keys run the other way, and only a cursor goes backwards.
    let cursor = await tx.objectStore("timeline").openCursor(before(room, range.upTo, range.after), "prev");
    while (cursor !== null && places.length < range.count) {
      places.push({ order: -cursor.key[1], event: cursor.value[0], current: cursor.value[1] });
      cursor = await cursor.continue();
    }
    return places;
  });
}

/** The room's current state as it was when the log stood at `position`; 0 before the room's first event. */
export async function snapshotAt(parts: RoomParts, room: Nid, position: Position): Promise<SnapshotNid> {
  const [row] = await parts.storage.getAll("timeline", before(room, position, BEGINNING), 1);
  return row?.[1] ?? 0;
}

export async function hasEvents(
  parts: RoomParts,
  room: Nid,
  range: { after: number; upTo: number },
): Promise<boolean> {
  const [key] = await parts.storage.getAllKeys("timeline", before(room, range.upTo, range.after), 1);
  return key !== undefined;
}

/** The newest `limit` events of a stretch, oldest first. */
export async function timelineChunk(
  parts: RoomParts,
  room: Nid,
  range: { after: number; upTo: number; limit: number },
): Promise<TimelineChunk> {
  const { after, upTo, limit } = range;
  const places = await placesBackward(parts, room, { from: upTo, after, count: limit + 1 });
  const shown = places.slice(0, limit);
  const older = places[limit];
  const [events, stateBefore] = await Promise.all([
    parts.events.get(shown.map(({ event }) => event)),
    older?.current ?? snapshotAt(parts, room, shown.length > 0 ? after : upTo),
  ]);
  return { events: events.reverse(), limited: older !== undefined, stateBefore };
}
