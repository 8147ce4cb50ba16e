import { maxPrevEvents } from "../../../../matrix/event-format.ts";
import type { RoomFront, StateKey } from "./api.ts";
import { entriesOf } from "./entries.ts";
import type { GraphParts } from "./parts.ts";

/** What is needed to build an event upon the room as it is. */
export async function latest(
  parts: GraphParts,
  roomId: string,
  keys: readonly StateKey[],
): Promise<RoomFront> {
  const head = await parts.heads.get(roomId);
  // Taken together: the room may go on while the entries are read.
  const { current, rules } = head;
  const deepest = head.extremities.toSorted((a, b) => b.pdu.depth - a.pdu.depth).slice(0, maxPrevEvents);
  const state = await parts.events.get(await entriesOf(parts, current, keys));
  return {
    roomVersion: rules.id,
    extremities: deepest.map(({ eventId, pdu }) => ({ eventId, pdu })),
    depth: deepest[0]?.pdu.depth ?? 0,
    state,
  };
}
