import { orderBefore } from "../node/tokens.ts";
import type { RoomForReaders, StoredEvent, TimelineChunk } from "../room/api.ts";
import type { Nid, SnapshotNid } from "../storage/schema.ts";
import type { Span } from "./span.ts";

/** Events looked at for one timeline, when a filter leaves most of them out. */
const LOOKED_AT = 1_000;

export type Timeline = {
  /** Oldest first. */
  events: StoredEvent[];
  /** True when older events of the span were left out for their number. */
  limited: boolean;
  /** Stands before the first of `events`, for `prev_batch`. */
  before: number;
  /** The room's state just before the first of `events`; at the span's end if there are none. */
  start: SnapshotNid;
  /** The room's state at the span's end. */
  end: SnapshotNid;
};

export type TimelineRequest = Span & {
  room: Nid;
  limit: number;
  /** Those of the events that this client is to get, in their order. */
  keep: (events: readonly StoredEvent[]) => Promise<StoredEvent[]>;
};

/** The newest events of a room within a span. Where `keep` leaves events out, older ones take their place. */
export async function loadTimeline(rooms: RoomForReaders, request: TimelineRequest): Promise<Timeline> {
  const { room, since, upTo, limit } = request;
  let asked = limit;
  let chunk = await rooms.timeline(room, { after: since, upTo, limit: asked });
  let kept = await request.keep(chunk.events);
  while (kept.length < limit && chunk.limited && asked < LOOKED_AT) {
    asked = Math.min(asked * 4, LOOKED_AT);
    const known = chunk.events.length;
    chunk = await rooms.timeline(room, { after: since, upTo, limit: asked });
    if (chunk.events.length === known) break; // older ones are not to be had
    kept = [...(await request.keep(chunk.events.slice(0, -known || undefined))), ...kept];
  }
  const events = kept.slice(-limit);
  const first = events[0] ?? (chunk.limited ? chunk.events[0] : undefined);
  return {
    events,
    limited: chunk.limited || kept.length > events.length,
    before: first === undefined ? upTo : orderBefore(first.order),
    start: await startOf(rooms, request, chunk, events[0]),
    end: endOf(chunk),
  };
}

/** What a client gets that wants no events: it is not "limited", and costs nothing. */
export async function emptyTimeline(rooms: RoomForReaders, room: Nid, upTo: number): Promise<Timeline> {
  const state = await rooms.snapshotAt(room, upTo);
  return { events: [], limited: false, before: upTo, start: state, end: state };
}

async function startOf(
  rooms: RoomForReaders,
  { room, since, upTo }: TimelineRequest,
  chunk: TimelineChunk,
  first: StoredEvent | undefined,
): Promise<SnapshotNid> {
  if (first === undefined) return endOf(chunk);
  const left = chunk.events.findIndex((event) => event.nid === first.nid);
  if (left === 0) return chunk.stateBefore;
  const shorter = { after: since, upTo, limit: chunk.events.length - left };
  return (await rooms.timeline(room, shorter)).stateBefore;
}

function endOf({ events, stateBefore }: TimelineChunk): SnapshotNid {
  return events.at(-1)?.current ?? stateBefore;
}
