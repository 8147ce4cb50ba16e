import { sha1 } from "@noble/hashes/legacy.js";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import { encodeUtf8 } from "../../src/matrix/utf8.ts";
import {
  type EventLookup,
  objection,
  powerLevelsKey,
  type RefEvent,
  type RefState,
  type StateKey,
} from "./events.ts";

/**
 * State resolution of room version 1. Where its page is vague, this does what Synapse's `state/v1.py` does:
 * each type and state key is resolved by itself, and what one pass has found counts from the next pass on.
 * @see https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export function resolveV1(
  rules: RoomVersionRules,
  sets: readonly RefState[],
  events: EventLookup,
): Map<StateKey, string> {
  const candidates = new Map<StateKey, Set<string>>();
  for (const set of sets) {
    for (const [key, id] of set) candidates.set(key, (candidates.get(key) ?? new Set()).add(id));
  }

  // What is not in conflict. That some of the states lack an entry makes no conflict.
  const resolved = new Map<StateKey, string>();
  const conflicts = new Map<StateKey, RefEvent[]>();
  for (const [key, ids] of candidates) {
    const [first, ...others] = [...ids].map(events);
    if (first === undefined) continue;
    if (others.length === 0) resolved.set(key, first.eventId);
    else conflicts.set(key, [first, ...others]);
  }

  const settle = (isOfThisPass: (key: StateKey) => boolean, choose: typeof lastThatFollows) => {
    const keys = [...conflicts.keys()].filter((key) => isOfThisPass(key) && !resolved.has(key));
    const chosen = keys.map((key) => choose(key, conflicts.get(key) ?? [], resolved, rules, events));
    for (const [index, key] of keys.entries()) resolved.set(key, chosen[index]!.eventId);
  };
  const isOfType = (type: string) => (key: StateKey) => JSON.parse(key)[0] === type;
  settle((key) => key === powerLevelsKey, lastThatFollows);
  settle(isOfType("m.room.join_rules"), lastThatFollows);
  settle(isOfType("m.room.member"), lastThatFollows);
  settle(() => true, highestThatIsAllowed);
  return resolved;
}

/** Starts with the lowest event and goes on to the next as long as the one before allows it. */
function lastThatFollows(
  key: StateKey,
  conflicting: readonly RefEvent[],
  resolved: RefState,
  rules: RoomVersionRules,
  events: EventLookup,
): RefEvent {
  const [lowest, ...higher] = highestFirst(conflicting).reverse();
  let chosen = lowest!;
  for (const event of higher) {
    const state = new Map(resolved).set(key, chosen.eventId);
    if (objection(event, rules, state, events) !== undefined) break;
    chosen = event;
  }
  return chosen;
}

/** The highest event that is allowed. Where none is, Synapse takes the lowest. */
function highestThatIsAllowed(
  _key: StateKey,
  conflicting: readonly RefEvent[],
  resolved: RefState,
  rules: RoomVersionRules,
  events: EventLookup,
): RefEvent {
  const ordered = highestFirst(conflicting);
  return ordered.find((event) => objection(event, rules, resolved, events) === undefined) ?? ordered.at(-1)!;
}

/** By descending depth, then by ascending SHA-1 of the id. */
function highestFirst(conflicting: readonly RefEvent[]): RefEvent[] {
  return [...conflicting].sort(
    (a, b) => b.pdu.depth - a.pdu.depth || (sha1Hex(a.eventId) < sha1Hex(b.eventId) ? -1 : 1),
  );
}

function sha1Hex(text: string): string {
  return [...sha1(encodeUtf8(text))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
