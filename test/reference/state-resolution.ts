import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import type { EventLookup, RefState, StateKey } from "./events.ts";
import { resolveV1 } from "./state-resolution-v1.ts";
import { resolveV2 } from "./state-resolution-v2.ts";

/**
 * Resolves states of a room into one, by the text of the room version's page: slow, plain, and apart from the
 * implementation in `src`, which is compared with it.
 * @param sets - in any order; the same state may be there several times
 * @param events - every event in the states and in their auth chains
 * @param isRejected - whether an event was rejected when it came in
 * @see https://spec.matrix.org/v1.19/rooms/
 */
export function resolve(
  rules: RoomVersionRules,
  sets: readonly RefState[],
  events: EventLookup,
  isRejected: (eventId: string) => boolean,
): Map<StateKey, string> {
  if (rules.stateResolution === "v1") return resolveV1(rules, sets, events);
  return resolveV2(rules, sets, events, isRejected);
}
