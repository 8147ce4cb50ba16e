import { prevEventIds } from "../../../../matrix/event-format.ts";
import type { StoredEvent } from "../../api.ts";
import { knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";
import { isHandedOut, steps } from "./walk.ts";

/** As many as Synapse gives. Who misses more asks for the state. */
const MOST = 20;

/** Events looked up at most: a generation may be twenty times as wide as the one after it. */
const LOOKED_UP = 500;

/** What comes right before some events. */
export async function missingEvents(
  parts: GraphParts,
  roomId: string,
  query: { earliest: readonly string[]; latest: readonly string[]; limit: number; minDepth: number },
): Promise<StoredEvent[]> {
  const room = await knownRoom(parts, roomId);
  const count = Math.max(0, Math.min(query.limit, MOST));
  const seen = new Set(query.earliest);
  const latest = query.latest.filter((eventId) => !seen.has(eventId)).slice(0, LOOKED_UP);
  const found: StoredEvent[] = [];
  let left = LOOKED_UP - latest.length;
  let generation = await steps(parts, room, latest);
  while (generation.length > 0 && found.length < count && left > 0) {
    const previous = new Set(generation.flatMap(({ pdu }) => prevEventIds(pdu)));
    const ids = [...previous].filter((eventId) => !seen.has(eventId)).slice(0, left);
    for (const eventId of ids) seen.add(eventId);
    left -= ids.length;
    generation = (await steps(parts, room, ids)).filter(({ pdu }) => pdu.depth >= query.minDepth);
    found.push(...generation.filter(isHandedOut));
  }
  return found.slice(0, count).reverse();
}
