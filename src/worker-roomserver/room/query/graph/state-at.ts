import type { StoredEvent } from "../../api.ts";
import type { StatePattern } from "./api.ts";
import { entriesOf } from "./entries.ts";
import { eventInState } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** The state at an event, or a part of it. */
export async function stateAt(
  parts: GraphParts,
  roomId: string,
  eventId: string,
  at: { when: "before" | "after"; keys?: readonly StatePattern[] },
): Promise<StoredEvent[]> {
  const event = await eventInState(parts, roomId, eventId);
  const state = await parts.snapshots.chain(at.when === "before" ? event.stateBefore : event.stateAfter);
  return parts.events.get(at.keys === undefined ? state.entries() : await entriesOf(parts, state, at.keys));
}
