import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { AuthState } from "../auth-rules/auth-event.ts";
import { authorise } from "../auth-rules/authorise.ts";
import type { Ed25519 } from "../ed25519.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import { encodeUtf8 } from "../utf8.ts";
import { AgreedState } from "./agreed-state.ts";
import type {
  EventNid,
  ResolutionSource,
  ResolvableEvent,
  ResolvedEntry,
  StateKey,
  StateSets,
} from "./api.ts";
import { authFacts } from "./auth-facts.ts";
import { LoadedEvents } from "./loaded-events.ts";
import { StateMap } from "./state-map.ts";

/**
 * State resolution of room version 1.
 *
 * Where the text leaves it open, this goes by Synapse: members (and join rules under several keys) are resolved
 * without regard to one another; what is resolved last authorises nothing, a third-party invite for one; and if
 * nothing of an entry that is resolved last is allowed, its lowest event is taken.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export async function resolveV1(
  sets: StateSets,
  rules: RoomVersionRules,
  source: ResolutionSource,
  ed25519: Ed25519,
): Promise<ResolvedEntry[]> {
  const { sole, rivals } = separate(sets);
  const loaded = new LoadedEvents(source);
  await loaded.load(rivals.flatMap(({ events }) => events));
  const conflicts = rivals.map(({ type, stateKey, events }) => ({
    type,
    stateKey,
    events: lowestFirst(loaded.all(events)),
  }));

  const candidates = conflicts.flatMap(({ events }) => events);
  const entries = async (keys: readonly StateKey[]) => {
    const agreed = await sets.unconflicted.entries(keys);
    return keys.map(([type, stateKey], i) => sole.get(type, stateKey) ?? agreed[i]);
  };
  const agreed = new AgreedState(entries, rules, loaded);
  await agreed.lookUpFor(candidates);
  await loaded.load(agreed.nids());
  const factsOf = await authFacts(candidates, rules, loaded, ed25519);

  const resolved = new StateMap<ResolvableEvent>();
  const state: AuthState = (type, stateKey) => resolved.get(type, stateKey) ?? agreed.event(type, stateKey);
  const isAllowed = (event: ResolvableEvent, against: AuthState) =>
    authorise(event, rules, against, factsOf(event)).outcome === "allow";

  const winners = new StateMap<EventNid | undefined>();
  for (const pass of passes) {
    const decided: ResolvableEvent[] = [];
    for (const conflict of conflicts.filter((candidate) => passOf(candidate) === pass)) {
      const resolve = pass === "other" ? highestAllowed : lastInSuccession;
      const winner = resolve(conflict, state, isAllowed);
      winners.set(conflict.type, conflict.stateKey, winner?.nid);
      if (pass !== "other" && winner !== undefined) decided.push(winner);
    }
    for (const winner of decided) resolved.set(winner.pdu.type, winner.pdu.state_key!, winner);
  }
  return sets.conflicted.map(({ type, stateKey }) => ({
    type,
    stateKey,
    event: sole.get(type, stateKey) ?? winners.get(type, stateKey),
  }));
}

/** An entry with the different events that the sets have there, the lowest first. */
type Conflict = {
  readonly type: string;
  readonly stateKey: string;
  readonly events: readonly ResolvableEvent[];
};

type IsAllowed = (event: ResolvableEvent, against: AuthState) => boolean;

/** One kind of entry after the other. */
const passes = ["power levels", "join rules", "members", "other"] as const;

function passOf({ type, stateKey }: Conflict): (typeof passes)[number] {
  if (type === "m.room.power_levels" && stateKey === "") return "power levels";
  if (type === "m.room.join_rules") return "join rules";
  return type === "m.room.member" ? "members" : "other";
}

/** A set that has nothing for an entry takes no part in it: what the others agree on is not conflicted. */
function separate({ conflicted }: StateSets) {
  const sole = new StateMap<EventNid | undefined>();
  const rivals: { type: string; stateKey: string; events: EventNid[] }[] = [];
  for (const { type, stateKey, events } of conflicted) {
    const different = [...new Set(events.filter((nid) => nid !== undefined))];
    if (different.length > 1) rivals.push({ type, stateKey, events: different });
    else sole.set(type, stateKey, different[0]);
  }
  return { sole, rivals };
}

/** By ascending depth, and then descending SHA-1 of the id. */
function lowestFirst(events: readonly ResolvableEvent[]): ResolvableEvent[] {
  return events
    .map((event) => ({ event, hash: bytesToHex(sha1(encodeUtf8(event.eventId))) }))
    .sort((a, b) => a.event.pdu.depth - b.event.pdu.depth || (a.hash < b.hash ? 1 : -1))
    .map(({ event }) => event);
}

/** Begins with the lowest event, unchecked, and goes on to the next as long as each allows the one after it. */
function lastInSuccession(
  { type, stateKey, events }: Conflict,
  state: AuthState,
  isAllowed: IsAllowed,
): ResolvableEvent | undefined {
  let last = events[0];
  const against: AuthState = (authType, authKey) =>
    authType === type && authKey === stateKey ? last : state(authType, authKey);
  for (const event of events.slice(1)) {
    if (!isAllowed(event, against)) break;
    last = event;
  }
  return last;
}

function highestAllowed(
  { events }: Conflict,
  state: AuthState,
  isAllowed: IsAllowed,
): ResolvableEvent | undefined {
  return events.findLast((event) => isAllowed(event, state)) ?? events[0];
}
