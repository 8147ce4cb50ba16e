import { checkAuthEventsSelection } from "../../src/matrix/auth-rules/selection.ts";
import { powerLevels } from "../../src/matrix/power-levels.ts";
import { isRedactionEffective, redactionTarget } from "../../src/matrix/redaction-target.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import {
  createEventIdOf,
  createKey,
  objection,
  powerLevelsKey,
  type RefEvent,
  type RefState,
  type StateKey,
  stateKeyOf,
} from "./events.ts";
import { resolve } from "./state-resolution.ts";

/** What becomes of an event that is received. `missing` and `duplicate` change nothing. */
export type Verdict =
  | { readonly outcome: "accepted" }
  | { readonly outcome: "rejected"; readonly by: "auth events" | "state before"; readonly reason: string }
  | { readonly outcome: "soft-failed"; readonly reason: string }
  | { readonly outcome: "missing"; readonly eventIds: readonly string[] }
  | { readonly outcome: "duplicate" };

type Received = {
  readonly event: RefEvent;
  readonly verdict: Verdict;
  readonly stateBefore: RefState;
  readonly stateAfter: RefState;
};

/**
 * A room as a homeserver sees it that takes in events one at a time, beginning with the create event: the checks that
 * the spec asks for, straight from its text. Format, signatures and hashes are taken for granted. Events are judged
 * as they were sent, redacted or not.
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export class ReferenceRoom {
  readonly rules: RoomVersionRules;
  /** In order of arrival. */
  readonly #received = new Map<string, Received>();
  #extremities: ReadonlySet<string> = new Set();
  #currentState: RefState = new Map();

  constructor(rules: RoomVersionRules) {
    this.rules = rules;
  }

  receive(event: RefEvent): Verdict {
    if (this.has(event.eventId)) return { outcome: "duplicate" };
    const unknown = this.#referencesOf(event).filter((id) => !this.has(id));
    if (unknown.length > 0) return { outcome: "missing", eventIds: [...new Set(unknown)] };

    const stateBefore = this.stateAfterAll(event.prev);
    const verdict = this.#judge(event, stateBefore);
    const key = stateKeyOf(event);
    const changesState = verdict.outcome !== "rejected" && key !== undefined;
    const stateAfter = changesState ? new Map(stateBefore).set(key, event.eventId) : stateBefore;
    this.#received.set(event.eventId, { event, verdict, stateBefore, stateAfter });
    if (verdict.outcome === "accepted") this.#moveOnTo(event);
    return verdict;
  }

  has(eventId: string): boolean {
    return this.#received.has(eventId);
  }

  event(eventId: string): RefEvent {
    return this.#of(eventId).event;
  }

  /** Everything that was received, in order of arrival. */
  events(): RefEvent[] {
    return [...this.#received.values()].map(({ event }) => event);
  }

  /** What became of an event when it was received: accepted, rejected or soft-failed. */
  verdict(eventId: string): Verdict {
    return this.#of(eventId).verdict;
  }

  stateBefore(eventId: string): RefState {
    return this.#of(eventId).stateBefore;
  }

  stateAfter(eventId: string): RefState {
    return this.#of(eventId).stateAfter;
  }

  /** The resolution of the states after these events. */
  stateAfterAll(eventIds: Iterable<string>): RefState {
    const sets = [...eventIds].map((id) => this.stateAfter(id));
    return resolve(
      this.rules,
      sets,
      (id) => this.event(id),
      (id) => this.verdict(id).outcome === "rejected",
    );
  }

  /** The forward extremities. */
  extremities(): ReadonlySet<string> {
    return this.#extremities;
  }

  currentState(): RefState {
    return this.#currentState;
  }

  /** What clients are shown, in order of arrival: what was accepted and not soft-failed. */
  timeline(): string[] {
    return [...this.#received.values()]
      .filter(({ verdict }) => verdict.outcome === "accepted")
      .map(({ event }) => event.eventId);
  }

  /**
   * The first redaction to arrive that takes effect on an event; the event itself may have come later. A redaction
   * that was soft-failed takes effect like any other, as in Synapse and Dendrite; the spec does not say. As there,
   * nothing redacts the create event.
   * @see https://spec.matrix.org/v1.19/rooms/v11/#handling-redactions
   */
  redactedBy(eventId: string): string | undefined {
    const target = this.#received.get(eventId);
    if (target === undefined || target.verdict.outcome === "rejected") return undefined;
    if (target.event.pdu.type === "m.room.create") return undefined;
    for (const redaction of this.#received.values()) {
      if (this.#redacts(redaction, target)) return redaction.event.eventId;
    }
    return undefined;
  }

  #redacts({ event, verdict, stateBefore }: Received, target: Received): boolean {
    if (event.pdu.type !== "m.room.redaction" || verdict.outcome === "rejected") return false;
    if (redactionTarget(event.pdu, this.rules) !== target.event.eventId) return false;
    const contentOf = (key: StateKey) => {
      const id = stateBefore.get(key);
      return id === undefined ? undefined : this.event(id).pdu;
    };
    const levels = powerLevels(contentOf(powerLevelsKey)?.content, contentOf(createKey), this.rules);
    return isRedactionEffective(event.pdu, target.event.pdu, levels, this.rules);
  }

  #of(eventId: string): Received {
    const received = this.#received.get(eventId);
    if (received === undefined) throw new Error(`${eventId} has not been received.`);
    return received;
  }

  /** All the events that must be there before this one can be judged. */
  #referencesOf(event: RefEvent): string[] {
    const references = [...event.prev, ...event.auth];
    if (this.rules.roomIdIsCreateHash && event.pdu.type !== "m.room.create") {
      references.push(`$${event.pdu.room_id?.slice(1)}`);
    }
    return references;
  }

  #judge(event: RefEvent, stateBefore: RefState): Verdict {
    const find = (id: string) => this.event(id);
    // 4: by the event's auth events.
    const unauthorised =
      this.#objectionToAuthEvents(event) ??
      objection(event, this.rules, this.#stateOfAuthEvents(event), find);
    if (unauthorised !== undefined) return { outcome: "rejected", by: "auth events", reason: unauthorised };
    // 5: by the state before the event.
    const refused = objection(event, this.rules, stateBefore, find);
    if (refused !== undefined) return { outcome: "rejected", by: "state before", reason: refused };
    // 6: by the current state.
    const unwelcome = objection(event, this.rules, this.currentState(), find);
    if (unwelcome !== undefined) return { outcome: "soft-failed", reason: unwelcome };
    return { outcome: "accepted" };
  }

  #objectionToAuthEvents({ pdu, auth }: RefEvent): string | undefined {
    // The rules would let another one pass, with a state of its own.
    if (pdu.type === "m.room.create" && this.#received.size > 0) return "A room has one create event.";
    const known = auth.map((id) => ({
      ...this.event(id),
      rejected: this.verdict(id).outcome === "rejected",
    }));
    const verdict = checkAuthEventsSelection(pdu, this.rules, known);
    return verdict.outcome === "allow" ? undefined : `${verdict.rule}: ${verdict.reason}`;
  }

  #stateOfAuthEvents(event: RefEvent): RefState {
    const state = new Map<StateKey, string>();
    const createId = createEventIdOf(event, this.rules, (id) => this.event(id));
    if (createId !== undefined) state.set(createKey, createId);
    for (const id of event.auth) {
      const key = stateKeyOf(this.event(id));
      if (key !== undefined) state.set(key, id);
    }
    return state;
  }

  /**
   * A forward extremity is an event that clients are shown and that none such is built upon, be it by way of events
   * that were rejected or soft-failed.
   */
  #moveOnTo(event: RefEvent): void {
    const extremities = new Set([...this.#extremities, event.eventId]);
    const ancestors = new Set(event.prev);
    // A Set's iteration goes on to what is added meanwhile.
    for (const id of ancestors) {
      extremities.delete(id);
      for (const prev of this.event(id).prev) ancestors.add(prev);
    }
    this.#extremities = extremities;
    this.#currentState = this.stateAfterAll(extremities);
  }
}
