import type { AuthState } from "../auth-rules/auth-event.ts";
import { authorise } from "../auth-rules/authorise.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { ResolvableEvent } from "./api.ts";
import type { FactsOf } from "./auth-facts.ts";
import type { LoadedEvents } from "./loaded-events.ts";
import type { StateMap } from "./state-map.ts";

/** What does not change during a resolution. */
export type AuthChecks = {
  readonly rules: RoomVersionRules;
  /** Holds the events to check, and their auth events. */
  readonly loaded: LoadedEvents;
  /** The state that the checks start from. */
  readonly base: AuthState;
  readonly factsOf: FactsOf;
};

/**
 * The iterative auth checks: takes the events one after the other into the state, those that it allows.
 * @param resolved - what has been taken into the state before; the events are added to it
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function iterativeAuthChecks(
  events: Iterable<ResolvableEvent>,
  resolved: StateMap<ResolvableEvent>,
  { rules, loaded, base, factsOf }: AuthChecks,
): void {
  for (const event of events) {
    const { type, state_key: stateKey } = event.pdu;
    // Whatever the state, Synapse takes no event that was rejected, though the definition might.
    if (event.rejected || stateKey === undefined) continue;
    // The rules look up what authTypesFor selects, and no more, so that all may be shown to them.
    const state: AuthState = (authType, authKey) =>
      resolved.get(authType, authKey) ??
      base(authType, authKey) ??
      ownAuthEvent(event, authType, authKey, loaded);
    if (authorise(event, rules, state, factsOf(event)).outcome === "allow")
      resolved.set(type, stateKey, event);
  }
}

/** What the event itself cites, for what the state does not have. */
function ownAuthEvent(
  event: ResolvableEvent,
  type: string,
  stateKey: string,
  loaded: LoadedEvents,
): ResolvableEvent | undefined {
  const cited = loaded.authEvent(event, type, stateKey);
  return cited?.rejected ? undefined : cited;
}
