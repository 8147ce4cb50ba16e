import { invalidParam } from "../../../matrix/errors.ts";
import type { JsonValue } from "../../../matrix/json.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "../query/graph/durable.ts";
import { eventsBackward } from "../query/timeline.ts";
import type { MediaInRoom } from "./api.ts";

/** Events that are looked at for one page: each may have 64 KB. */
const LOOKED_AT = 500;
const mxc = /^mxc:\/\/[^/]{1,255}\/[A-Za-z0-9_-]{1,255}$/;

/** See RoomsForOwner.media. */
export async function mediaInRoom(
  parts: RoomParts,
  roomId: string,
  page: { from?: string | undefined; limit: number },
): Promise<{ media: MediaInRoom[]; next_batch?: string }> {
  const from = page.from === undefined ? Number.POSITIVE_INFINITY : parseOrder(page.from);
  const limit = Math.min(Math.max(1, page.limit), LOOKED_AT);
  const events = await durable(parts.storage, async () => {
    const { nid } = await parts.heads.get(roomId);
    return eventsBackward(parts, nid, { from, count: LOOKED_AT + 1 });
  });
  const media: MediaInRoom[] = [];
  // The one that a page starts with was looked at last before it.
  for (const { pdu, eventId, order } of events.slice(0, LOOKED_AT)) {
    if (order === from) continue;
    const uris = [...mxcUrisIn(pdu.content)];
    if (uris.length === 0) continue;
    media.push({ event_id: eventId, sender: pdu.sender, ts: pdu.origin_server_ts, uris });
    if (media.length === limit) return { media, next_batch: String(order) };
  }
  const last = events[LOOKED_AT - 1];
  return { media, ...(events.length > LOOKED_AT && last && { next_batch: String(last.order) }) };
}

/** All `mxc` URIs in a content, wherever they stand: which members have them is different for each type of event. */
function mxcUrisIn(value: JsonValue | undefined, found = new Set<string>()): Set<string> {
  if (typeof value === "string") {
    if (mxc.test(value)) found.add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) mxcUrisIn(member, found);
  }
  return found;
}

/** Places of history are fractions. */
function parseOrder(token: string): number {
  const order = Number(token);
  if (/^-?\d{1,16}(\.\d{1,20})?$/.test(token) && Number.isFinite(order)) return order;
  throw invalidParam('"from" is not a token that this server has given out.');
}
