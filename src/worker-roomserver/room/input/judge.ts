import { authTypesFor } from "../../../matrix/auth-events.ts";
import type { AuthEvent, AuthFacts } from "../../../matrix/auth-rules/auth-event.ts";
import { authorise } from "../../../matrix/auth-rules/authorise.ts";
import { checkAuthEventsSelection } from "../../../matrix/auth-rules/selection.ts";
import { signedThirdPartyInvites } from "../../../matrix/auth-rules/third-party-invite-signature.ts";
import type { Verdict } from "../../../matrix/auth-rules/verdict.ts";
import type { Ed25519 } from "../../../matrix/ed25519.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { EventNid } from "../../storage/schema.ts";
import { authForm } from "../plan.ts";
import type { StateEntry, StateLookup } from "../state/lookup.ts";

/** Why an event is refused; undefined when it is allowed. */
export type Objection = string | undefined;

/**
 * Checks an event by the authorisation rules: once by the events that it cites, and then by states of the room. That
 * a server has vouched for a restricted join has been checked with the event's signatures.
 */
export class Judge {
  readonly #event: AuthEvent;
  readonly #rules: RoomVersionRules;
  readonly #ed25519: Ed25519;
  /** What the event cites, and the create event where that is not cited. */
  readonly #authorities: readonly StateEntry[];

  constructor(
    event: AuthEvent,
    rules: RoomVersionRules,
    by: { cited: readonly StateEntry[]; create: StateEntry | undefined },
    ed25519: Ed25519,
  ) {
    this.#event = event;
    this.#rules = rules;
    this.#ed25519 = ed25519;
    this.#authorities =
      rules.roomIdIsCreateHash && by.create !== undefined ? [...by.cited, by.create] : by.cited;
  }

  async byAuthEvents(cited: readonly StateEntry[]): Promise<Objection> {
    const known = cited.map(({ eventId, pdu, status }) => ({ eventId, pdu, rejected: status === 1 }));
    const selection = checkAuthEventsSelection(this.#event.pdu, this.#rules, known);
    return objectionOf(selection) ?? this.#by(this.#authorities);
  }

  /** By a state of the room. Costs nothing where that holds just what the event cites. */
  async byState(lookup: StateLookup): Promise<Objection> {
    const keys = authTypesFor(this.#event.pdu, this.#rules);
    if (this.#rules.roomIdIsCreateHash && this.#event.pdu.type !== "m.room.create") {
      keys.push(["m.room.create", ""]);
    }
    const state = (await lookup(keys)).filter((event) => event !== undefined);
    return sameEvents(state, this.#authorities) ? undefined : this.#by(state);
  }

  async #by(state: readonly StateEntry[]): Promise<Objection> {
    const entries = new Map(state.map((event) => [keyOf(event.pdu.type, event.pdu.state_key), event]));
    const facts = await this.#factsFrom(state);
    return objectionOf(
      authorise(this.#event, this.#rules, (type, key) => authForm(entries.get(keyOf(type, key))), facts),
    );
  }

  async #factsFrom(state: readonly StateEntry[]): Promise<AuthFacts> {
    const { pdu } = this.#event;
    if (pdu.content.third_party_invite === undefined) return { authorisingServerSigned: true };
    const invites = state
      .filter((event) => event.pdu.type === "m.room.third_party_invite")
      .map((event) => authForm(event)!);
    const signed = await signedThirdPartyInvites(pdu, invites, this.#ed25519);
    return { authorisingServerSigned: true, signedThirdPartyInvites: signed };
  }
}

function objectionOf(verdict: Verdict): Objection {
  return verdict.outcome === "allow" ? undefined : `${verdict.rule}: ${verdict.reason}`;
}

function sameEvents(some: readonly StateEntry[], others: readonly StateEntry[]): boolean {
  const nids = new Set<EventNid>(others.map(({ nid }) => nid));
  return some.length === nids.size && some.every(({ nid }) => nids.has(nid));
}

const keyOf = (type: string, stateKey: string | undefined) => JSON.stringify([type, stateKey]);
