import { authTypesFor } from "../auth-events.ts";
import { authEventIds } from "../event-format.ts";
import type { Pdu } from "../pdu.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { AuthEvent } from "./auth-event.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** One of an event's auth events, with whether it was rejected itself when it came in. */
export type KnownAuthEvent = AuthEvent & { readonly rejected: boolean };

/**
 * Checks the list `auth_events` of an event: rule 2, from v12 on rule 3. The create event has no such rule.
 * @param authEvents - the events that `auth_events` names, in any order. One that is missing here leaves the
 *   list unchecked, so the event is rejected: fetch it first.
 * @see https://spec.matrix.org/v1.19/rooms/v11/#authorisation-rules
 */
export function checkAuthEventsSelection(
  pdu: Pdu,
  rules: RoomVersionRules,
  authEvents: readonly KnownAuthEvent[],
): Verdict {
  if (pdu.type === "m.room.create") return allow;

  const known = new Map(authEvents.map((event) => [event.eventId, event]));
  const selected = new Set(authTypesFor(pdu, rules).map(([type, stateKey]) => keyOf(type, stateKey)));
  const seen = new Set<string>();
  for (const id of authEventIds(pdu)) {
    const event = known.get(id);
    if (event === undefined)
      return reject("auth_events.selection", rules, `The auth event ${id} is unknown.`);
    const { type, state_key: stateKey } = event.pdu;
    const key = stateKey === undefined ? undefined : keyOf(type, stateKey);

    // 2.1, v1: there are two entries for one type and state key.
    if (key !== undefined && seen.has(key)) {
      return reject(
        "auth_events.duplicate",
        rules,
        `auth_events holds two events of ${type}, "${stateKey}".`,
      );
    }
    // 2.2, v1: an entry is not among those that the selection asks for. From v12 on the create event is not.
    if (key === undefined || !selected.has(key)) {
      return reject(
        "auth_events.selection",
        rules,
        `auth_events holds ${type}, which does not authorise this.`,
      );
    }
    // 2.3, v1: an entry was rejected itself.
    if (event.rejected) {
      return reject("auth_events.rejected", rules, `The auth event ${id} was rejected.`);
    }
    // 2.5, v1: an entry is of another room.
    if (event.pdu.room_id !== pdu.room_id) {
      return reject("auth_events.room_id", rules, `The auth event ${id} is of another room.`);
    }
    seen.add(key);
  }

  // 2.4, v1 to v11: the create event is missing.
  if (!rules.roomIdIsCreateHash && !seen.has(keyOf("m.room.create", ""))) {
    return reject("auth_events.create", rules, "auth_events lacks the create event.");
  }
  return allow;
}

const keyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);
