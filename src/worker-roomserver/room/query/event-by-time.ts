import { notFound } from "../../../matrix/errors.ts";
import type { Requester } from "../../node/requester.ts";
import type { ReadTransaction } from "../../storage/api.ts";
import type { EventRow, Nid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { type Access, accessTo } from "./access.ts";
import { isNextToGap } from "./timeline.ts";

/** Events looked at together after the first, and at most: who may see none of these many is told that there is none. */
const BATCH = 20;
const LOOKED_AT = 1_000;

export type TimeQuery = { ts: number; dir: "f" | "b" };

/** A place in the index of times: events of one time stand there by their numbers. */
type TimePlace = { ts: number; n: number };

type Found = { event_id: string; origin_server_ts: number };

/**
 * `GET /rooms/{roomId}/timestamp_to_event`: of the events that the requester may see, the one of that time or the next
 * in the direction. Where there is none here, or the history next to it is not known here, other servers of the room are
 * asked for a nearer one. Costs one range of an index where the first may be seen, and at most 1,000 events.
 * @throws MatrixError M_NOT_FOUND (404), M_FORBIDDEN (403)
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
 */
export async function eventByTime(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  query: TimeQuery,
): Promise<Found> {
  const access = await accessTo(parts, requester, roomId);
  const own = await nearest(parts, requester, access, query);
  const nearer = own?.isNextToGap === false ? undefined : await elsewhere(parts, requester, access, query);
  const found = [own?.event, nearer]
    .filter((event) => event !== undefined)
    .sort((a, b) => Math.abs(distance(a, query)) - Math.abs(distance(b, query)))[0];
  if (found !== undefined) return { event_id: found.eventId, origin_server_ts: found.pdu.origin_server_ts };
  const direction = query.dir === "f" ? "forward" : "backward";
  throw notFound(`There is no event from ${query.ts} in ${direction} direction that you may see.`);
}

const distance = ({ pdu }: StoredEvent, { ts }: TimeQuery) => pdu.origin_server_ts - ts;

/** What those know that are in the room too: it is taken in here, so that it can be seen, and gone on from. */
async function elsewhere(
  parts: RoomParts,
  requester: Requester,
  { head, end }: Access,
  query: TimeQuery,
): Promise<StoredEvent | undefined> {
  const eventId = await parts.questions.eventNear(head.roomId, query);
  const event = eventId === undefined ? undefined : await parts.events.byId(eventId);
  if (event === undefined || event.order > end) return undefined;
  return (await parts.visibility.visibleTo(requester.userId, [event]))[0];
}

async function nearest(
  parts: RoomParts,
  requester: Requester,
  { head, end }: Access,
  { ts, dir }: TimeQuery,
): Promise<{ event: StoredEvent; isNextToGap: boolean } | undefined> {
  let after: TimePlace | undefined;
  for (let lookedAt = 0; lookedAt < LOOKED_AT; ) {
    // Mostly the first is the one.
    const count = lookedAt === 0 ? 1 : BATCH;
    const rows = await nextRows(parts, head.nid, { ts, dir, after, count });
    const events = (await parts.events.fromRows(rows)).filter(({ order }) => order !== 0 && order <= end);
    const [event] = await parts.visibility.visibleTo(requester.userId, events);
    if (event !== undefined) return { event, isNextToGap: await isNextToGap(parts, event) };
    const last = rows.at(-1);
    if (last === undefined || rows.length < count) break;
    lookedAt += count;
    after = { ts: last.ts ?? ts, n: last.n };
  }
  return undefined;
}

/** Going forward, those of one time in the order in which they became known; going backward, the other way round. */
function nextRows(
  { storage }: RoomParts,
  room: Nid,
  { ts, dir, after, count }: TimeQuery & { after: TimePlace | undefined; count: number },
): Promise<EventRow[]> {
  const from = after?.ts ?? ts;
  const range =
    dir === "f" ? IDBKeyRange.bound([room, from], [room, []]) : IDBKeyRange.bound([room], [room, from]);
  return storage.read(["events"], async (tx: ReadTransaction) => {
    const found: EventRow[] = [];
    const index = tx.objectStore("events").index("time");
    let cursor = await index.openCursor(range, dir === "f" ? "next" : "prev");
    if (after !== undefined && cursor?.value.ts === after.ts) {
      const isBehind = dir === "f" ? cursor.primaryKey < after.n : cursor.primaryKey > after.n;
      if (isBehind) cursor = await cursor.continuePrimaryKey([room, after.ts], after.n);
      if (cursor?.primaryKey === after.n) cursor = await cursor.continue();
    }
    while (cursor !== null && found.length < count) {
      found.push(cursor.value);
      cursor = await cursor.continue();
    }
    return found;
  });
}
