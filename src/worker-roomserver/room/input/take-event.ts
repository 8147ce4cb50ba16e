import type { Ed25519 } from "../../../matrix/ed25519.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { PASS_ON } from "../../log/entry.ts";
import type { Storage, Write } from "../../storage/api.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomHead } from "../room-head.ts";
import { commitUnit, type NewEvent, type RoomUnit, type RoomUnitParts } from "../room-unit.ts";
import { SnapshotChain } from "../snapshots.ts";
import { lookupIn, type StateLookup } from "../state/lookup.ts";
import type { StateResolver } from "../state/resolver.ts";
import { toldState } from "../state/told-state.ts";
import { advance, extremitiesBelow } from "./advance.ts";
import type { InputVerdict, ReceiveOptions } from "./api.ts";
import type { Awaited, Wait, Waiting } from "./awaited.ts";
import type { Gap, Gaps } from "./gaps.ts";
import { HistoryPlaces } from "./history-places.ts";
import { allReferences } from "./in-order.ts";
import { Judge, type Objection } from "./judge.ts";
import { type RedactionEffect, Redactions } from "./redactions.ts";
import { findReferences, type References } from "./references.ts";

export type TakingParts = RoomUnitParts & {
  storage: Storage;
  resolver: StateResolver;
  ed25519: Ed25519;
  awaited: Awaited;
  gaps: Gaps;
};

export type Taken = {
  verdict: InputVerdict;
  /** Resolves when what was written is durable; undefined if nothing was. */
  durable?: Promise<void>;
  /** Events that were rejected for want of this one, to be judged again; a number may be there more than once. */
  freed?: readonly EventNid[];
};

/**
 * `isWelcome`: the room's present state is not asked, as it may be of long ago. `places`: of the batch that the event
 * has come in; of itself alone if left out.
 */
export type TakeOptions = ReceiveOptions & { isWelcome?: boolean; places?: HistoryPlaces };

/** What an event was found to be. */
type Finding = { status: StoredEvent["status"]; reason: string };

const emptyState = new SnapshotChain([]);

/** Takes in one event of a room that is known. Called in the room's lock, with the head that its holder owns. */
export class EventTaker {
  readonly #parts: TakingParts;
  readonly #lookup: (state: SnapshotChain) => StateLookup;
  readonly #redactions: Redactions;

  constructor(parts: TakingParts) {
    this.#parts = parts;
    const { events, snapshots } = parts;
    this.#lookup = (state) => lookupIn({ names: parts.storage.names, events }, state);
    this.#redactions = new Redactions({ events, snapshots, lookup: this.#lookup });
  }

  async take(head: RoomHead, received: ReceivedEvent, options: TakeOptions): Promise<Taken> {
    const { eventId } = received;
    const as = options.as ?? "live";
    const known = await this.#parts.events.byId(eventId);
    const misplaced = misplacement(head, received, known);
    if (misplaced !== undefined) return { verdict: { eventId, outcome: "rejected", reason: misplaced } };
    if (known !== undefined && !isWorthAnother(known, as)) {
      // Whoever took it in may have died before what waited for it was judged again.
      const waiting = await this.#parts.awaited.for(head.nid, eventId);
      return { verdict: { eventId, outcome: "duplicate" }, freed: freedOf(waiting) };
    }

    const references = await findReferences(this.#parts.events, head, received);
    const entangled = entanglement(received, references);
    if (entangled !== undefined) return { verdict: { eventId, outcome: "rejected", reason: entangled } };
    const given = await this.#givenState(head, options.statesBefore?.[eventId]);
    const missing = whatIsMissing(references, options, given, known);
    if (missing !== undefined) return { verdict: { eventId, outcome: "missing", ...missing } };

    const before = await this.#stateBefore(head, references, { as, given: given.state, known });
    const isGuarded = as === "live" && options.isWelcome !== true;
    const finding = await this.#judge(head, received, references, {
      ...{ before, as, isGuarded },
      notRecommended: as === "live" ? options.unwelcome?.[eventId] : undefined,
    });
    if (known?.status === 1 && finding.status === 1 && (as === "outlier" || !known.isOutlier)) {
      const durable = await this.#waitNoLonger(head, known, references);
      return { verdict: { eventId, outcome: "rejected", reason: finding.reason }, ...durable };
    }
    const places = options.places ?? (await HistoryPlaces.of(this.#parts, head.nid, [received]));
    const detail = options.passOn === true ? PASS_ON : "";
    return this.#write(head, received, { as, known, references, before, finding, places, detail });
  }

  /** A state that another server has told, as what differs from the current one. */
  async #givenState(
    head: RoomHead,
    ids: readonly string[] | undefined,
  ): Promise<{ state?: SnapshotChain; unknown: string[] }> {
    if (ids === undefined) return { unknown: [] };
    const { events, snapshots, storage } = this.#parts;
    const found = await events.byIds(ids);
    const unknown = ids.filter((_, i) => found[i] === undefined);
    if (unknown.length > 0) return { unknown };
    const entries = found.filter(
      (event) => event?.room === head.nid && event.status !== 1 && event.pdu.state_key !== undefined,
    ) as StoredEvent[];
    const state = await toldState({ snapshots, names: storage.names }, head.current, entries);
    return { state, unknown };
  }

  async #stateBefore(
    head: RoomHead,
    { previous, missing }: References,
    {
      as,
      given,
      known,
    }: {
      as: ReceiveOptions["as"];
      given: SnapshotChain | undefined;
      known: StoredEvent | undefined;
    },
  ): Promise<SnapshotChain> {
    const { snapshots, resolver } = this.#parts;
    if (as === "outlier") return emptyState;
    // Another server has told it when the event came for the first time.
    if (given === undefined && known?.status === 1 && !known.isOutlier && missing.prevEvents.length > 0) {
      return snapshots.chain(known.stateBefore);
    }
    const states = await Promise.all(previous.map(({ stateAfter }) => snapshots.chain(stateAfter)));
    if (given !== undefined) states.push(given);
    return states.length === 0 ? emptyState : resolver.resolve(head, states);
  }

  async #judge(
    head: RoomHead,
    received: ReceivedEvent,
    { cited, create, missing }: References,
    {
      before,
      as,
      isGuarded,
      notRecommended,
    }: {
      before: SnapshotChain;
      as: ReceiveOptions["as"];
      isGuarded: boolean;
      notRecommended: Objection;
    },
  ): Promise<Finding> {
    const judge = new Judge(received, head.rules, { cited, create }, this.#parts.ed25519);
    const [absent] = missing.authEvents;
    const rejected =
      absent !== undefined
        ? `The auth event ${absent} is not to be had.`
        : ((await this.#secondCreate(head, received)) ??
          (await judge.byAuthEvents(cited)) ??
          (as === "outlier" ? undefined : await judge.byState(this.#lookup(before))));
    if (rejected !== undefined) return { status: 1, reason: rejected };
    const isForked = isGuarded && before.nid !== head.current.nid;
    const unwelcome =
      notRecommended ?? (isForked ? await judge.byState(this.#lookup(head.current)) : undefined);
    return unwelcome === undefined ? { status: 0, reason: "" } : { status: 2, reason: unwelcome };
  }

  /** The rules on create events would let another one pass, with a state of its own. */
  async #secondCreate(head: RoomHead, { eventId, pdu }: ReceivedEvent): Promise<Objection> {
    if (pdu.type !== "m.room.create") return undefined;
    const create = await head.state("m.room.create", "");
    return create === undefined || create.eventId === eventId ? undefined : "A room has one create event.";
  }

  async #write(
    head: RoomHead,
    received: ReceivedEvent,
    found: {
      as: NonNullable<ReceiveOptions["as"]>;
      known: StoredEvent | undefined;
      references: References;
      before: SnapshotChain;
      finding: Finding;
      places: HistoryPlaces;
      detail: string;
    },
  ): Promise<Taken> {
    const { as, known, references, finding, places, detail } = found;
    const { awaited, gaps, events } = this.#parts;
    const waiting = await awaited.for(head.nid, received.eventId);
    const filled = await gaps.before(head.nid, received.eventId);
    const children = await events.get(filled.map(({ event }) => event));
    const event = await this.#newEvent(head, received, found, waiting);
    const effect = finding.status === 1 ? {} : await this.#redactions.effectOf(head, event.pdu, event.before);
    const below = extremitiesBelow(references.previous);
    const outlier = as === "outlier";
    const isShown = finding.status === 0 && !outlier;
    // What others have been built upon already is no end of the room, however late it comes.
    const isBefore = filled.length > 0 || places.isBeforeOthers(received.eventId);
    const isEnd = isShown && as === "live" && !isBefore;
    const isBuiltUpon = waiting.some(({ as }) => as.includes("prev"));
    const forward =
      isEnd && !isBuiltUpon
        ? await advance(this.#advanceParts, head, event, { after: event.after, below })
        : undefined;
    const order = isShown && !isEnd ? await places.orderOf(received.eventId) : 0;
    const isFreeing = finding.status !== 1;

    const durable = commitUnit(this.#parts, head, (unit, write) => {
      if (known !== undefined && known.nid !== event.nid) unit.remove(known);
      const complete = { ...event, redacts: effect.redacts };
      const stored = isEnd
        ? unit.addLive(
            complete,
            forward ?? { current: head.current, extremities: head.extremities, turns: [] },
            detail,
          )
        : order !== 0
          ? unit.addHistory(complete, order)
          : unit.addAside(complete, {
              ...finding,
              isOutlier: outlier,
              extremities: head.extremities.map(({ nid }) => nid).filter((nid) => below.has(nid)),
            });
      if (known?.status === 1) {
        for (const { eventId } of references.cited) awaited.remove(write, head.nid, eventId, [known.nid]);
      }
      awaited.add(write, head.nid, stored.nid, waitsOf(stored, references, effect));
      // What was rejected for want of it waits until it has been judged again.
      if (isFreeing)
        awaited.remove(
          write,
          head.nid,
          stored.eventId,
          numbersOf(waiting, (as) => as !== "auth"),
        );
      if (!outlier) this.#closeGaps(unit, write, stored, { filled, children, missing: event.missing });
    });
    return {
      verdict: verdictOf(received.eventId, finding),
      durable,
      freed: isFreeing ? freedOf(waiting) : [],
    };
  }

  /** Of an event that is rejected once more: what there is now of its auth events was not what it lacked. */
  async #waitNoLonger(
    head: RoomHead,
    { nid }: StoredEvent,
    { cited }: References,
  ): Promise<Pick<Taken, "durable">> {
    const { awaited } = this.#parts;
    const allowed = cited.filter(({ status }) => status !== 1).map(({ eventId }) => eventId);
    const waits = await Promise.all(allowed.map((eventId) => awaited.for(head.nid, eventId)));
    const over = allowed.filter((_, i) => waits[i]!.some((waiting) => waiting.nid === nid));
    if (over.length === 0) return {};
    const durable = commitUnit(this.#parts, head, (_, write) => {
      for (const eventId of over) awaited.remove(write, head.nid, eventId, [nid]);
    });
    return { durable };
  }

  get #advanceParts() {
    const { storage, events, snapshots, resolver } = this.#parts;
    return { names: storage.names, events, snapshots, resolver };
  }

  async #newEvent(
    head: RoomHead,
    { eventId, pdu, json }: ReceivedEvent,
    {
      known,
      references,
      before,
      finding,
    }: { known: StoredEvent | undefined; references: References; before: SnapshotChain; finding: Finding },
    waiting: readonly Waiting[],
  ): Promise<NewEvent> {
    const { storage, snapshots, events } = this.#parts;
    const { names } = storage;
    const isState = pdu.state_key !== undefined && finding.status !== 1;
    const key = isState
      ? ([await names.intern(pdu.type), await names.intern(pdu.state_key ?? "")] as const)
      : undefined;
    const replacedNid = key && before.entry(...key);
    // An outlier that takes its place in history is the same event; one that was rejected and is allowed now comes
    // anew, so that what authorises it has the lower number in any case.
    const isTheSame = known !== undefined && (known.status === 0 || finding.status === 1);
    const nid = isTheSame ? known.nid : storage.newEvent();
    return {
      nid,
      eventId,
      pdu,
      json,
      key,
      authEvents: references.cited.map((cited) => cited.nid).sort((a, b) => a - b),
      wasOutlier: known?.status === 0,
      before,
      after: key === undefined ? before : snapshots.derive(before, [[...key, nid]]),
      replaced: replacedNid === undefined ? undefined : await events.getOne(replacedNid),
      redacts: undefined,
      redactedBy:
        finding.status === 1
          ? undefined
          : (known?.redaction ?? (await this.#redactions.earlier(head, pdu, waiting))),
      missing: references.missing.prevEvents,
      sentBy: null,
    };
  }

  #closeGaps(
    unit: RoomUnit,
    write: Write,
    stored: StoredEvent,
    gap: { filled: readonly Gap[]; children: readonly StoredEvent[]; missing: readonly string[] },
  ): void {
    const { gaps, events } = this.#parts;
    const { room, nid, order, eventId } = stored;
    for (const [i, before] of gap.filled.entries()) {
      const missing = before.missing.filter((id) => id !== eventId);
      gaps.set(write, room, { ...before, missing });
      const child = gap.children[i]!;
      // It may have been redacted by this very event.
      if (missing.length === 0) unit.update({ ...(events.known(child.nid) ?? child), afterGap: false });
    }
    if (order !== 0 && gap.missing.length > 0)
      gaps.set(write, room, { event: nid, order, missing: gap.missing });
  }
}

/** Whether to look at a known event once more: it may take its place in history, or be allowed by now. */
function isWorthAnother(known: StoredEvent, as: ReceiveOptions["as"]): boolean {
  return known.status === 1 || (known.isOutlier && as !== "outlier");
}

/** Of what is no event of the room at all; it is not kept. */
function misplacement(
  head: RoomHead,
  { eventId, pdu }: ReceivedEvent,
  known: StoredEvent | undefined,
): string | undefined {
  if (known !== undefined && known.room !== head.nid) return "Its id is that of an event of another room.";
  const roomId =
    head.rules.roomIdIsCreateHash && pdu.type === "m.room.create" ? `!${eventId.slice(1)}` : pdu.room_id;
  return roomId === head.roomId ? undefined : "It is an event of another room.";
}

/** Of what no room can be built of, whose state there is no telling; it is not kept. */
function entanglement({ eventId, pdu }: ReceivedEvent, { foreign }: References): string | undefined {
  const [other] = foreign;
  if (other !== undefined) return `The event ${other.eventId} that it is built upon is of another room.`;
  // Only where servers make the ids up.
  return allReferences({ pdu }).includes(eventId) ? "It refers to itself." : undefined;
}

/** What an event was rejected for may come, or turn out to be allowed; and so may what it redacts or is built upon. */
function waitsOf(
  { status, order }: StoredEvent,
  { cited, previous, missing }: References,
  { awaits }: RedactionEffect,
): Wait[] {
  const isRejected = (event: StoredEvent) => event.status === 1;
  const ids = (events: readonly StoredEvent[]) => events.filter(isRejected).map(({ eventId }) => eventId);
  const each = (eventIds: readonly string[], as: Wait["as"]) => eventIds.map((eventId) => ({ eventId, as }));
  return [
    ...(status === 1 ? each([...missing.authEvents, ...ids(cited)], "auth") : []),
    // What is in no timeline itself makes no end of the room out of what is.
    ...(order !== 0 ? each(ids(previous), "prev") : []),
    ...(awaits !== undefined ? each([awaits], "redaction") : []),
  ];
}

/** Those that were rejected for want of the event that they wait for. */
export const freedOf = (waiting: readonly Waiting[]) => numbersOf(waiting, (as) => as === "auth");

function numbersOf(waiting: readonly Waiting[], isMeant: (as: Wait["as"]) => boolean): EventNid[] {
  return waiting.filter(({ as }) => as.some(isMeant)).map(({ nid }) => nid);
}

function whatIsMissing(
  { missing }: References,
  { as, unobtainable }: ReceiveOptions,
  given: { state?: SnapshotChain; unknown: string[] },
  known: StoredEvent | undefined,
): { authEvents: string[]; prevEvents: string[]; stateEvents: string[] } | undefined {
  const authEvents = missing.authEvents.filter((id) => !unobtainable?.includes(id));
  const hasState = given.state !== undefined || (known?.status === 1 && !known.isOutlier);
  const prevEvents = as === "outlier" || hasState ? [] : missing.prevEvents;
  const stateEvents = given.unknown;
  return authEvents.length + prevEvents.length + stateEvents.length === 0
    ? undefined
    : { authEvents, prevEvents, stateEvents };
}

function verdictOf(eventId: string, { status, reason }: Finding): InputVerdict {
  if (status === 0) return { eventId, outcome: "accepted" };
  return { eventId, outcome: status === 1 ? "rejected" : "soft-failed", reason };
}
