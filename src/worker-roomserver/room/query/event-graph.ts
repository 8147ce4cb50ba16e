import { authEventIds, prevEventIds } from "../../../matrix/event-format.ts";
import type { EventNid, EventRow, Nid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { EventGraphPage, GraphEvent, GraphPlace } from "./event-graph-api.ts";

/** Events of one page, however many are asked for. */
const MOST_EVENTS = 1_000;

const NEWEST: GraphPlace = { order: Number.POSITIVE_INFINITY, aside: Number.POSITIVE_INFINITY };

const STATUS = ["accepted", "rejected", "soft-failed"] as const;

/**
 * A room's events from the newest on, with what they are built upon. What is in no timeline (rejected, soft-failed,
 * outliers) stands where it came in: between the events of the timeline that came before and after it. Each event is
 * on one page; what comes in live meanwhile is on none of the later ones.
 *
 * Asks nobody who may see what: it is for the owner of the node. Costs `limit` rows of the timeline and as many of the
 * others.
 * @throws MatrixError M_NOT_FOUND (404) for a room that is not known here
 */
export async function eventGraph(
  parts: RoomParts,
  roomId: string,
  { from = NEWEST, limit }: { from?: GraphPlace | undefined; limit: number },
): Promise<EventGraphPage> {
  // What is answered must be durable, and memory may be ahead of the disk.
  await parts.storage.settled();
  const head = await parts.heads.get(roomId);
  const extremities = head.extremities.map(({ eventId }) => eventId);
  const count = Math.min(Math.max(1, limit), MOST_EVENTS);
  // One more of each than can be shown: the next page starts with the first that is not.
  const [timeline, aside] = await Promise.all([
    from.order === null ? [] : timelineFrom(parts, head.nid, from.order, count + 1),
    from.aside === null ? [] : asideFrom(parts, head.nid, from.aside, count + 1),
  ]);
  const { rows, next } = firstToArrive(timeline, aside, count);
  const events = await parts.events.fromRows(rows);
  return { events: events.map(toGraphEvent), extremities, ...(next && { next }) };
}

function timelineFrom({ storage }: RoomParts, room: Nid, order: number, count: number): Promise<EventRow[]> {
  // The index is by [room, -order], and "" sorts after all numbers.
  const range = IDBKeyRange.bound([room, -order], [room, ""], false, true);
  return storage.fromIndex("events", "timeline", range, count);
}

/** Those of one key of the index are in the order of their nids, and only a cursor can start among them. */
async function asideFrom(
  { storage }: RoomParts,
  room: Nid,
  nid: EventNid,
  count: number,
): Promise<EventRow[]> {
  const key: [Nid, ""] = [room, ""];
  return storage.read(["events"], async (tx) => {
    const rows: EventRow[] = [];
    let cursor = await tx.objectStore("events").index("timeline").openCursor(IDBKeyRange.only(key), "prev");
    if (cursor !== null && cursor.primaryKey > nid) cursor = await cursor.continuePrimaryKey(key, nid);
    while (cursor !== null) {
      rows.push(cursor.value);
      if (rows.length === count) break;
      cursor = await cursor.continue();
    }
    return rows;
  });
}

/**
 * One sequence of two, each in its own order: next comes always the one that came in later. History that was fetched
 * later is in its place in the timeline, with high nids; what is aside stays where it is then.
 */
function firstToArrive(
  timeline: readonly EventRow[],
  aside: readonly EventRow[],
  count: number,
): { rows: EventRow[]; next: GraphPlace | undefined } {
  const rows: EventRow[] = [];
  let [t, a] = [0, 0];
  while (rows.length < count && (t < timeline.length || a < aside.length)) {
    const isAside = (aside[a]?.n ?? 0) > (timeline[t]?.n ?? 0);
    rows.push(isAside ? aside[a++]! : timeline[t++]!);
  }
  const [nextInTimeline, nextAside] = [timeline[t], aside[a]];
  if (nextInTimeline === undefined && nextAside === undefined) return { rows, next: undefined };
  const order = nextInTimeline === undefined ? null : -nextInTimeline.o;
  return { rows, next: { order, aside: nextAside?.n ?? null } };
}

function toGraphEvent(event: StoredEvent): GraphEvent {
  const { pdu } = event;
  return {
    eventId: event.eventId,
    type: pdu.type,
    sender: pdu.sender,
    ...(pdu.state_key !== undefined && { stateKey: pdu.state_key }),
    depth: pdu.depth,
    order: event.order,
    ts: pdu.origin_server_ts,
    status: STATUS[event.status],
    reason: event.reason,
    isOutlier: event.isOutlier,
    isRedacted: event.redactedBy !== "",
    afterGap: event.afterGap,
    prevEvents: prevEventIds(pdu),
    authEvents: authEventIds(pdu),
  };
}
