import { authorise } from "../../src/matrix/auth-rules/authorise.ts";
import { authEventIds, prevEventIds } from "../../src/matrix/event-format.ts";
import { eventIdOf } from "../../src/matrix/hashes.ts";
import type { Pdu } from "../../src/matrix/pdu.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";

/** An event as the reference sees it: ids in full everywhere, whichever form the room version has on the wire. */
export type RefEvent = {
  readonly eventId: string;
  readonly pdu: Pdu;
  readonly prev: readonly string[];
  /** As in `auth_events`: from v12 on without the create event. */
  readonly auth: readonly string[];
};

/** A type and state key as one text, which can be a key of a Map: the JSON of `[type, state_key]`. */
export type StateKey = string;

/** A state of a room: event ids. */
export type RefState = ReadonlyMap<StateKey, string>;

/** Finds an event; it is only asked for events that are there. */
export type EventLookup = (eventId: string) => RefEvent;

export function refEvent(pdu: Pdu, rules: RoomVersionRules): RefEvent {
  return { eventId: eventIdOf(pdu, rules), pdu, prev: prevEventIds(pdu), auth: authEventIds(pdu) };
}

export const stateKey = (type: string, key: string): StateKey => JSON.stringify([type, key]);

export const createKey = stateKey("m.room.create", "");
export const powerLevelsKey = stateKey("m.room.power_levels", "");

/** Where in the state an event belongs; undefined for one that is not state. */
export function stateKeyOf({ pdu }: RefEvent): StateKey | undefined {
  return pdu.state_key === undefined ? undefined : stateKey(pdu.type, pdu.state_key);
}

/** The create event of an event's room: one of its auth events or, from v12 on, the one that names the room. */
export function createEventIdOf(
  event: RefEvent,
  rules: RoomVersionRules,
  events: EventLookup,
): string | undefined {
  if (event.pdu.type === "m.room.create") return undefined;
  if (rules.roomIdIsCreateHash) return `$${event.pdu.room_id?.slice(1)}`;
  return event.auth.find((id) => stateKeyOf(events(id)) === createKey);
}

/**
 * What the auth rules have against an event in a state; undefined if nothing. The events of the reference are not
 * signed, so who vouches for a restricted join counts as having signed, and there are no third-party invites.
 */
export function objection(
  event: RefEvent,
  rules: RoomVersionRules,
  state: RefState,
  events: EventLookup,
): string | undefined {
  const entry = (type: string, key: string) => {
    const id = state.get(stateKey(type, key));
    return id === undefined ? undefined : events(id);
  };
  const verdict = authorise(event, rules, entry, { authorisingServerSigned: true });
  return verdict.outcome === "allow" ? undefined : `${verdict.rule}: ${verdict.reason}`;
}
