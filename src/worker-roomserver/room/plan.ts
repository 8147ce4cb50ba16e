import { authTypesFor } from "../../matrix/auth-events.ts";
import type { AuthEvent } from "../../matrix/auth-rules/auth-event.ts";
import { authorise } from "../../matrix/auth-rules/authorise.ts";
import { signedThirdPartyInvites } from "../../matrix/auth-rules/third-party-invite-signature.ts";
import { encodeBase64 } from "../../matrix/base64.ts";
import type { Ed25519 } from "../../matrix/ed25519.ts";
import { forbidden } from "../../matrix/errors.ts";
import { checkEventSize, checkFieldSizes, maxPrevEvents } from "../../matrix/event-format.ts";
import { referenceHash } from "../../matrix/hashes.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import type { Pdu } from "../../matrix/pdu.ts";
import { powerLevels } from "../../matrix/power-levels.ts";
import { isRedactionEffective } from "../../matrix/redaction-target.ts";
import { type EventDraft, finishEvent, type SigningKey } from "../../matrix/signing.ts";
import type { EventNid, Nid } from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";
import { entryKey } from "./entry-key.ts";
import type { RoomHead } from "./room-head.ts";

/** An event that a local user wants to send. */
export type Proposal = {
  type: string;
  sender: string;
  content: JsonObject;
  stateKey?: string;
  /** Milliseconds since 1970. */
  ts: number;
  sentBy?: [deviceId: string, txnId: string];
  /** The event that this redaction is for. */
  redacts?: StoredEvent;
};

/** An event that is ready to be written: checked, hashed and signed. */
export type PlannedEvent = {
  nid: EventNid;
  pdu: Pdu;
  eventId: string;
  json: string;
  sentBy: [deviceId: string, txnId: string] | null;
  /** For state events. */
  key: readonly [type: Nid, stateKey: Nid] | undefined;
  authEvents: readonly EventNid[];
  /** What the redaction takes effect on. */
  redacted: StoredEvent | undefined;
};

export type Author = {
  serverName: string;
  key: SigningKey;
  ed25519: Ed25519;
  intern: (text: string) => Promise<Nid>;
  newEvent: () => EventNid;
};

/** What a plan builds on: a room's head, or nothing yet for a room that is being made (`roomId` is then ""). */
export type PlanBase = Pick<RoomHead, "roomId" | "rules" | "extremities" | "depth"> & {
  state(type: string, stateKey: string): Promise<PlannedState | undefined>;
};

/** An entry of the state: in the room, or only in the plan. */
export type PlannedState = AuthEvent & { nid: EventNid; authPdu?: Pdu };

/**
 * Events that follow one another in one room and are written together or not at all. Each is built on the one
 * before and checked against the state that it leaves.
 */
export class RoomPlan {
  readonly base: PlanBase;
  readonly events: PlannedEvent[] = [];
  readonly #author: Author;
  readonly #state = new Map<string, PlannedState>();
  #roomId: string | undefined;

  constructor(base: PlanBase, author: Author) {
    this.base = base;
    this.#author = author;
    this.#roomId = base.roomId === "" ? undefined : base.roomId;
  }

  /** The room's id; of a room version 12 it is known only once the create event is in the plan. */
  get roomId(): string {
    return this.#roomId ?? "";
  }

  /** The current state, with what is planned on top. */
  async state(type: string, stateKey: string): Promise<PlannedState | undefined> {
    return this.#state.get(entryKey(type, stateKey)) ?? (await this.base.state(type, stateKey));
  }

  /** @throws MatrixError M_FORBIDDEN (403) when the auth rules refuse it, M_BAD_JSON (400), M_TOO_LARGE (413) */
  async add(proposal: Proposal): Promise<PlannedEvent> {
    const { rules } = this.base;
    const { draft, listed } = await this.#checkedDraft(proposal);
    const finished = await finishEvent(draft, rules, this.#author.serverName, this.#author.key);
    checkEventSize(finished.json);
    const planned: PlannedEvent = {
      ...finished,
      nid: this.#author.newEvent(),
      sentBy: proposal.sentBy ?? null,
      key: await this.#keyOf(proposal),
      authEvents: listed.map(({ nid }) => nid).sort((a, b) => a - b),
      redacted: await this.#effectiveTarget(finished.pdu, proposal.redacts),
    };
    this.events.push(planned);
    if (proposal.stateKey !== undefined) this.#state.set(entryKey(proposal.type, proposal.stateKey), planned);
    if (proposal.type === "m.room.create" && rules.roomIdIsCreateHash)
      this.#roomId = `!${finished.eventId.slice(1)}`;
    return planned;
  }

  /**
   * What `add` would make of it, for another server to sign; the plan stays as it is. It has no id: whoever signs it
   * makes that up, where ids are made up.
   * @throws as `add` does
   */
  async template(proposal: Proposal): Promise<JsonObject> {
    const { event_id: _, ...template } = (await this.#checkedDraft(proposal)).draft;
    return template;
  }

  async #checkedDraft(proposal: Proposal): Promise<{ draft: EventDraft; listed: PlannedState[] }> {
    const { rules } = this.base;
    const { ed25519 } = this.#author;
    const authEvents = await this.#authEvents(proposal);
    const listed = this.#listed([...authEvents.values()]);
    const draft = this.#draft(proposal, listed);
    const subject = { ...draft, hashes: { sha256: "" }, signatures: {} } as Pdu;
    checkFieldSizes(subject);
    const thirdParty = [...authEvents.values()].filter(({ pdu }) => pdu.type === "m.room.third_party_invite");
    const signed = await signedThirdPartyInvites(
      subject,
      thirdParty.map((event) => authForm(event)!),
      ed25519,
    );
    const verdict = authorise(
      { eventId: subject.event_id ?? "", pdu: subject },
      rules,
      (type, key) => authForm(authEvents.get(entryKey(type, key))),
      { authorisingServerSigned: true, signedThirdPartyInvites: signed },
    );
    if (verdict.outcome === "reject") throw forbidden(verdict.reason);
    return { draft, listed };
  }

  async #authEvents(proposal: Proposal): Promise<Map<string, PlannedState>> {
    const { rules } = this.base;
    const wanted = authTypesFor(
      { ...proposal, ...(proposal.stateKey !== undefined && { state_key: proposal.stateKey }) },
      rules,
    );
    // From v12 on it is not listed among the auth events, but the rules need it all the same.
    if (rules.roomIdIsCreateHash && proposal.type !== "m.room.create") wanted.push(["m.room.create", ""]);
    const found = new Map<string, PlannedState>();
    for (const [type, key] of wanted) {
      const event = await this.state(type, key);
      if (event !== undefined) found.set(entryKey(type, key), event);
    }
    return found;
  }

  /** Those of the events that authorise one which it lists. */
  #listed(authEvents: PlannedState[]): PlannedState[] {
    if (!this.base.rules.roomIdIsCreateHash) return authEvents;
    return authEvents.filter(({ pdu }) => pdu.type !== "m.room.create");
  }

  #draft(proposal: Proposal, authEvents: readonly AuthEvent[]): EventDraft {
    const { rules } = this.base;
    const last = this.events.at(-1);
    // Nobody takes an event with more. There are more where nobody from here could merge them, as the branches of others
    // in a room in which everybody from here may only leave.
    const previous = last === undefined ? this.base.extremities.slice(-maxPrevEvents) : [last];
    const depth = Math.min((last?.pdu.depth ?? this.base.depth) + 1, Number.MAX_SAFE_INTEGER);
    return {
      type: proposal.type,
      sender: proposal.sender,
      content: proposal.content,
      origin_server_ts: proposal.ts,
      depth,
      prev_events: previous.map((event) => this.#reference(event)),
      auth_events: authEvents.map((event) => this.#reference(event)),
      ...(this.#roomId !== undefined && { room_id: this.#roomId }),
      ...(proposal.stateKey !== undefined && { state_key: proposal.stateKey }),
      ...(proposal.redacts && !rules.redactsInContent && { redacts: proposal.redacts.eventId }),
      ...(rules.eventIdFormat === "domain" && { event_id: newEventId(this.#author.serverName) }),
    };
  }

  #reference({ eventId, pdu }: AuthEvent): JsonValue {
    const { rules } = this.base;
    if (rules.eventIdFormat !== "domain") return eventId;
    return [eventId, { sha256: encodeBase64(referenceHash(pdu, rules)) }];
  }

  async #keyOf({ type, stateKey }: Proposal): Promise<PlannedEvent["key"]> {
    if (stateKey === undefined) return undefined;
    await this.state(type, stateKey); // the writer wants to know what is replaced, and cannot wait
    return [await this.#author.intern(type), await this.#author.intern(stateKey)];
  }

  async #effectiveTarget(redaction: Pdu, target: StoredEvent | undefined): Promise<StoredEvent | undefined> {
    if (target === undefined || target.redactedBy !== "") return undefined;
    const [create, levels] = await Promise.all([
      this.state("m.room.create", ""),
      this.state("m.room.power_levels", ""),
    ]);
    const { rules } = this.base;
    const power = powerLevels(authForm(levels)?.pdu.content, create?.pdu, rules);
    return isRedactionEffective(redaction, target.pdu, power, rules) ? target : undefined;
  }
}

/** An event as the auth rules go by it. */
export function authForm(event: PlannedState | undefined): AuthEvent | undefined {
  return event?.authPdu === undefined ? event : { eventId: event.eventId, pdu: event.authPdu };
}

/** An event id of room versions 1 and 2, where the server makes it up. */
export function newEventId(serverName: string): string {
  const random = crypto.getRandomValues(new Uint8Array(18));
  return `$${encodeBase64(random).replaceAll("+", "-").replaceAll("/", "_")}:${serverName}`;
}
