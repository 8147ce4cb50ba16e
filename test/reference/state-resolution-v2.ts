import { authTypesFor } from "../../src/matrix/auth-events.ts";
import { powerLevels } from "../../src/matrix/power-levels.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import {
  createEventIdOf,
  createKey,
  type EventLookup,
  objection,
  powerLevelsKey,
  type RefEvent,
  type RefState,
  type StateKey,
  stateKey,
  stateKeyOf,
} from "./events.ts";
import { authChains, authDifference, conflictedStateSubgraph, separate } from "./state-sets.ts";

/**
 * State resolution of room versions 2 to 11 ("v2"), and that of v12 ("v2.1"). The names and the order of the steps
 * are those of the page. Where the page leaves a choice, or where all servers differ from its letter, this does what
 * Synapse's `state/v2.py` does, as the state of a room is what the network takes it to be.
 * @see https://spec.matrix.org/v1.19/rooms/v2/#state-resolution
 * @see https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export function resolveV2(
  rules: RoomVersionRules,
  sets: readonly RefState[],
  events: EventLookup,
  isRejected: (eventId: string) => boolean,
): Map<StateKey, string> {
  const room: Room = { rules, events, isRejected };
  const { unconflicted, conflicted } = separate(sets);
  if (conflicted.size === 0) return unconflicted;

  const chain = authChains(events);
  const fullConflicted = new Set([...conflicted, ...authDifference(sets, chain)]);
  const isV21 = rules.stateResolution === "v2.1";
  if (isV21) {
    for (const id of conflictedStateSubgraph(conflicted, chain)) fullConflicted.add(id);
  }

  // 1: the power events with what authorises them, in reverse topological power ordering.
  const powerIds = withConflictedAuthEvents(
    [...fullConflicted].filter((id) => isPowerEvent(events(id))),
    fullConflicted,
    events,
  );
  const powerOrder = reverseTopologicalPowerOrdering(powerIds, room);

  // 2: from the unconflicted state map, in v2.1 from an empty one.
  const partial = iterativeAuthChecks(isV21 ? new Map() : unconflicted, powerOrder, room);

  // 3: the rest, by the mainline of the power levels found so far. In v2.1 there may be none, even if the room has.
  const rest = [...fullConflicted].filter((id) => !powerIds.has(id));
  const mainlineOrder = mainlineOrdering(rest, partial.get(powerLevelsKey), events);

  // 4 and 5.
  const resolved = iterativeAuthChecks(partial, mainlineOrder, room);
  for (const [key, id] of unconflicted) resolved.set(key, id);
  return resolved;
}

type Room = {
  readonly rules: RoomVersionRules;
  readonly events: EventLookup;
  readonly isRejected: (eventId: string) => boolean;
};

/** With an empty state key only: other power levels and join rules have no effect, and Synapse does not count them. */
function isPowerEvent(event: RefEvent): boolean {
  const { type, sender, state_key: key, content } = event.pdu;
  if (type === "m.room.power_levels" || type === "m.room.join_rules") return key === "";
  const { membership } = content;
  return type === "m.room.member" && (membership === "leave" || membership === "ban") && sender !== key;
}

/**
 * Enlarges the power events by those of their auth chains that are in the full conflicted set. Synapse and ruma walk
 * within that set only: what is behind an event that is not in it is not found, though the page would have it.
 */
function withConflictedAuthEvents(
  powerEvents: readonly string[],
  fullConflicted: ReadonlySet<string>,
  events: EventLookup,
): Set<string> {
  const found = new Set(powerEvents);
  // A Set's iteration goes on to what is added meanwhile.
  for (const id of found) {
    for (const authId of events(id).auth) if (fullConflicted.has(authId)) found.add(authId);
  }
  return found;
}

/** Kahn's algorithm: of those whose auth events have all been taken, the smallest comes next. */
function reverseTopologicalPowerOrdering(ids: ReadonlySet<string>, room: Room): string[] {
  const smallestFirst = [...ids]
    .map((id) => ({ event: room.events(id), level: senderLevel(room.events(id), room) }))
    .sort((a, b) => {
      // Creators of v12 are at Infinity, so that levels are compared, not subtracted.
      if (a.level !== b.level) return a.level > b.level ? -1 : 1;
      return byTimeThenId(a.event, b.event);
    })
    .map(({ event }) => event);
  const ordered = new Set<string>();
  while (ordered.size < ids.size) {
    const next = smallestFirst.find(
      ({ eventId, auth }) =>
        !ordered.has(eventId) && auth.every((authId) => !ids.has(authId) || ordered.has(authId)),
    );
    ordered.add(next!.eventId);
  }
  return [...ordered];
}

/** The level of an event's sender by the event's own auth events. */
function senderLevel(event: RefEvent, { rules, events }: Room): number {
  const levels = powerLevelsOf(event, events);
  const createId = createEventIdOf(event, rules, events);
  const create = createId === undefined ? undefined : events(createId).pdu;
  return powerLevels(levels?.pdu.content, create, rules).userLevel(event.pdu.sender);
}

/** The power levels event among an event's auth events. */
function powerLevelsOf(event: RefEvent, events: EventLookup): RefEvent | undefined {
  return event.auth.map(events).find((authEvent) => stateKeyOf(authEvent) === powerLevelsKey);
}

function mainlineOrdering(
  ids: readonly string[],
  levelsId: string | undefined,
  events: EventLookup,
): string[] {
  const mainline: string[] = [];
  let levels = levelsId === undefined ? undefined : events(levelsId);
  for (; levels !== undefined; levels = powerLevelsOf(levels, events)) mainline.push(levels.eventId);

  const positionOf = (event: RefEvent): number => {
    let cited = powerLevelsOf(event, events);
    for (; cited !== undefined; cited = powerLevelsOf(cited, events)) {
      const position = mainline.indexOf(cited.eventId);
      if (position !== -1) return position;
    }
    return Number.POSITIVE_INFINITY;
  };
  return ids
    .map((id) => ({ event: events(id), position: positionOf(events(id)) }))
    .sort((a, b) => {
      if (a.position !== b.position) return a.position > b.position ? -1 : 1;
      return byTimeThenId(a.event, b.event);
    })
    .map(({ event }) => event.eventId);
}

function byTimeThenId(a: RefEvent, b: RefEvent): number {
  return a.pdu.origin_server_ts - b.pdu.origin_server_ts || (a.eventId < b.eventId ? -1 : 1);
}

function iterativeAuthChecks(initial: RefState, order: readonly string[], room: Room): Map<StateKey, string> {
  const { rules, events, isRejected } = room;
  const resolved = new Map(initial);
  for (const id of order) {
    // An event that was rejected is not let in later, which is what Synapse does; the page would allow it.
    if (isRejected(id)) continue;
    const event = events(id);
    const key = stateKeyOf(event);
    if (key === undefined) continue;
    const state = stateToCheckAgainst(event, resolved, room);
    if (objection(event, rules, state, events) === undefined) resolved.set(key, id);
  }
  return resolved;
}

/** The state resolved so far; for what it lacks, the event's own auth events. None of it may be rejected. */
function stateToCheckAgainst(
  event: RefEvent,
  resolved: RefState,
  { rules, events, isRejected }: Room,
): RefState {
  const state = new Map<StateKey, string>();
  const createId = createEventIdOf(event, rules, events);
  if (createId !== undefined && !isRejected(createId)) state.set(createKey, createId);
  for (const authId of event.auth) {
    const key = stateKeyOf(events(authId));
    if (key !== undefined && !isRejected(authId)) state.set(key, authId);
  }
  for (const [type, key] of authTypesFor(event.pdu, rules)) {
    const id = resolved.get(stateKey(type, key));
    if (id !== undefined && !isRejected(id)) state.set(stateKey(type, key), id);
  }
  return state;
}
