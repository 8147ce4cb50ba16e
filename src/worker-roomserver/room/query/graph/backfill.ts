import { prevEventIds } from "../../../../matrix/event-format.ts";
import { PriorityQueue } from "../../../../matrix/state-resolution/priority-queue.ts";
import type { StoredEvent } from "../../api.ts";
import { eventsBackward } from "../timeline.ts";
import { type KnownRoom, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";
import { isHandedOut, steps } from "./walk.ts";

/** As many as Synapse asks for, and gives. */
const MOST = 100;

/** Events looked up at most, as each may name twenty others that are not among those answered. */
const LOOKED_UP = 1_000;

/** Some events and those before them. */
export async function backfill(
  parts: GraphParts,
  roomId: string,
  { from, limit }: { from: readonly string[]; limit: number },
): Promise<StoredEvent[]> {
  const room = await knownRoom(parts, roomId);
  const count = Math.max(0, Math.min(limit, MOST));
  const starts = await steps(parts, room, [...new Set(from)].slice(0, MOST));
  await readAhead(parts, room, starts, count);
  const seen = new Set(starts.map(({ eventId }) => eventId));
  const queue = new PriorityQueue<StoredEvent>((a, b) => deepestFirst(a, b) < 0);
  for (const start of starts) queue.push(start);
  const found: StoredEvent[] = [];
  while (found.length < count) {
    const event = queue.pop();
    if (event === undefined) break;
    if (isHandedOut(event)) found.push(event);
    const unseen = [...new Set(prevEventIds(event.pdu))].filter((eventId) => !seen.has(eventId));
    const ids = unseen.slice(0, Math.max(0, LOOKED_UP - seen.size));
    for (const eventId of ids) seen.add(eventId);
    for (const previous of await steps(parts, room, ids)) queue.push(previous);
  }
  // A server may give an event a lower depth than what it follows.
  return found.sort(deepestFirst);
}

/** The later one of those of a depth is the one that became known here later. */
const deepestFirst = (a: StoredEvent, b: StoredEvent) => b.pdu.depth - a.pdu.depth || b.nid - a.nid;

/** Most of what will be asked for one by one lies side by side in the timeline, and is read with one range. */
async function readAhead(
  parts: GraphParts,
  { nid }: KnownRoom,
  starts: readonly StoredEvent[],
  count: number,
): Promise<void> {
  const orders = starts.map(({ order }) => order).filter((order) => order !== 0);
  if (orders.length > 0 && count > 0) await eventsBackward(parts, nid, { from: Math.max(...orders), count });
}
