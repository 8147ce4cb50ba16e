import { badJson, MatrixError } from "../../../matrix/errors.ts";
import { authEventIds, prevEventIds } from "../../../matrix/event-format.ts";
import { isUserId } from "../../../matrix/identifiers.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import { Breath } from "../../node/breathe.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import type { Write } from "../../storage/api.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomHead, RoomHeads } from "../room-head.ts";
import { commitUnit, type NewEvent, type RoomUnit } from "../room-unit.ts";
import { SnapshotChain } from "../snapshots.ts";
import { lookupIn, type StateEntry } from "../state/lookup.ts";
import { toldState } from "../state/told-state.ts";
import type { InputVerdict, WholeRoom } from "./api.ts";
import { authReferences, inOrder } from "./in-order.ts";
import { Judge } from "./judge.ts";
import { judgeAgain } from "./judge-again.ts";
import { type EventTaker, freedOf, type TakingParts } from "./take-event.ts";

type Parts = TakingParts & {
  heads: RoomHeads;
  locks: KeyedLock<string>;
  clear: (roomId: string) => Promise<void>;
};

/**
 * An event of the state or the auth chain that has passed; `fresh` if it was not known before, or rejected, which is
 * the `former` then.
 */
type Passed = StateEntry & { fresh: NewEvent | undefined; former?: StoredEvent | undefined };

/** `rejected`: may be allowed by now. `taken`: ids of events of other rooms, where servers make ids up. */
type Known = { passed: Map<string, Passed>; rejected: Map<string, StoredEvent>; taken: Set<string> };

type Begun = { verdict: InputVerdict; durable: Promise<void>[] };

const emptyState = new SnapshotChain([]);

/** Takes in a room as the answer to a join gives it. */
export class WholeRoomTaker {
  readonly #parts: Parts;
  readonly #taker: EventTaker;

  constructor(parts: Parts, taker: EventTaker) {
    this.#parts = parts;
    this.#taker = taker;
  }

  async take(room: WholeRoom): Promise<InputVerdict> {
    const place = placeOf(room);
    const { rules, roomId, createId } = place;
    const { heads, locks, storage, memberships, clear } = this.#parts;
    // Wrapped, because promises returned from the lock would be waited for within it.
    const { verdict, durable } = await locks.run(roomId, async (): Promise<Begun> => {
      const isKnown = (await heads.find(roomId)) !== undefined;
      if (!isKnown) await clear(roomId);
      await memberships.expect(await storage.names.intern(roomId));
      if (!isKnown) return this.#begin(room, place);
      const head = await heads.own(roomId);
      if (head.rules !== rules) throw badJson(`The room has the version ${head.rules.id} here.`);
      const create = await head.state("m.room.create", "");
      if (create?.eventId !== createId) throw badJson("The room has another create event here.");
      return this.#comeBack(room, head, createId);
    });
    await Promise.all(durable);
    await storage.settled();
    return verdict;
  }

  /** A room that was not known: all of it is one unit. */
  async #begin(room: WholeRoom, { roomId, rules, createId }: Place): Promise<Begun> {
    const { event } = room;
    const { eventId } = event;
    const { heads, storage, snapshots, ed25519 } = this.#parts;
    const head = heads.fresh(await storage.names.intern(roomId), roomId, rules, emptyState);
    const same = await this.#parts.events.byId(eventId);
    if (same !== undefined && same.room !== head.nid) {
      return rejected(eventId, "Its id is that of an event of another room.");
    }
    const passed = await this.#passed(room, head, createId);
    const cited = authEventIds(event.pdu).map((id) => passed.get(id));
    if (cited.includes(undefined)) return rejected(eventId, "It cites what the answer does not have.");
    const state = room.state.map((one) => passed.get(one.eventId)).filter((one) => one !== undefined);
    const entries = state.filter(({ pdu }) => pdu.state_key !== undefined);
    const before = await toldState({ snapshots, names: storage.names }, emptyState, entries);

    const create = createOf(head, passed);
    const judge = new Judge(event, rules, { cited: cited as Passed[], create }, ed25519);
    const lookup = lookupIn(
      { names: storage.names, events: this.#parts.events },
      before,
      new Map([...passed.values()].map((one) => [one.nid, one])),
    );
    const objection = (await judge.byAuthEvents(cited as Passed[])) ?? (await judge.byState(lookup));
    if (objection !== undefined) return rejected(eventId, objection);

    const nid = storage.newEvent();
    const { pdu, json } = event;
    const key = await this.#keyOf(event);
    const after = key === undefined ? before : snapshots.derive(before, [[...key, nid]]);
    const replaced = key && before.entry(...key);
    const members = await this.#members(entries.filter((entry) => entry.nid !== replaced));
    const newest: NewEvent = {
      nid,
      eventId,
      pdu,
      json,
      key,
      authEvents: (cited as Passed[]).map((one) => one.nid).sort((a, b) => a - b),
      before,
      after,
      // Its predecessor is only just coming in itself.
      replaced: undefined,
      redacts: undefined,
      redactedBy: undefined,
      missing: prevEventIds(pdu),
      sentBy: null,
    };
    const durable = commitUnit(this.#parts, head, (unit, write) => {
      write.put("rooms", { roomId, version: rules.id }, head.nid);
      for (const { fresh } of passed.values()) if (fresh !== undefined) unit.addAside(fresh, asOutlier);
      const extremity = { nid, eventId, pdu, stateAfter: after.nid };
      const stored = unit.addLive(newest, { current: after, extremities: [extremity], turns: [] });
      unit.addMembers(members, stored.order);
      if (newest.missing.length > 0) {
        this.#parts.gaps.set(write, head.nid, { event: nid, order: stored.order, missing: newest.missing });
      }
      heads.keep(head);
    });
    return { verdict: { eventId, outcome: "accepted" }, durable: [durable] };
  }

  /**
   * A room that is known already. What is new of the answer is stored for what it authorises; then its state is that
   * before the event, and is resolved with what stands here.
   */
  async #comeBack(room: WholeRoom, head: RoomHead, createId: string): Promise<Begun> {
    const passed = await this.#passed(room, head, createId);
    const { awaited, events } = this.#parts;
    if ([...passed.values()].some(({ fresh }) => fresh !== undefined)) {
      // The event's own unit rests on this one.
      commitUnit(this.#parts, head, (unit, write) => {
        for (const { fresh, former } of passed.values()) {
          if (fresh === undefined) continue;
          if (former !== undefined) this.#forget(unit, write, former);
          unit.addAside(fresh, asOutlier);
        }
      }).catch(() => undefined);
    }
    const freed: EventNid[] = [];
    for (const { fresh, eventId } of passed.values()) {
      if (fresh !== undefined) freed.push(...freedOf(await awaited.for(head.nid, eventId)));
    }
    const state = room.state.map(({ eventId }) => eventId).filter((id) => passed.has(id));
    const taken = await this.#taker.take(head, room.event, {
      statesBefore: { [room.event.eventId]: state },
      isWelcome: true,
    });
    freed.push(...(taken.freed ?? []));
    const durable = await judgeAgain(events, this.#taker, head, { ...taken, freed });
    return { verdict: taken.verdict, durable };
  }

  #forget(unit: RoomUnit, write: Write, rejected: StoredEvent): void {
    unit.remove(rejected);
    for (const id of authEventIds(rejected.pdu)) {
      this.#parts.awaited.remove(write, rejected.room, id, [rejected.nid]);
    }
  }

  /** The events of the answer, and those that they cite, that are known here, by id. */
  async #known({ state, authChain, event }: WholeRoom, head: RoomHead): Promise<Known> {
    const ids = new Set(
      [...authChain, ...state, event].flatMap((one) => [one.eventId as string, ...authEventIds(one.pdu)]),
    );
    const known: Known = { passed: new Map(), rejected: new Map(), taken: new Set() };
    for (const stored of await this.#parts.events.byIds([...ids])) {
      if (stored === undefined) continue;
      if (stored.room !== head.nid) known.taken.add(stored.eventId);
      else if (stored.status === 1) known.rejected.set(stored.eventId, stored);
      else known.passed.set(stored.eventId, { ...stored, fresh: undefined });
    }
    return known;
  }

  /** What of the state and the auth chain is allowed by what it cites, by id. Linear in what is given. */
  async #passed(room: WholeRoom, head: RoomHead, createId: string): Promise<Map<string, Passed>> {
    const { state, authChain, event } = room;
    const { storage, ed25519 } = this.#parts;
    const listed = [...authChain, ...state];
    // From room version 12 on all events need the create event, and none cites it.
    const given = inOrder([...listed.filter(isCreate), ...listed], authReferences);
    const { passed, rejected, taken } = await this.#known(room, head);
    const breath = new Breath();
    for (const received of given) {
      const { eventId, pdu } = received;
      if (eventId === event.eventId || passed.has(eventId) || taken.has(eventId)) continue;
      // The rules would let another create event pass, with a state of its own.
      if (!isOf(head, received) || (isCreate(received) && eventId !== createId)) continue;
      const cited = authEventIds(pdu).map((id) => passed.get(id));
      if (cited.includes(undefined)) continue;
      const by = { cited: cited as Passed[], create: createOf(head, passed) };
      if ((await new Judge(received, head.rules, by, ed25519).byAuthEvents(by.cited)) !== undefined) continue;
      const nid = storage.newEvent();
      const fresh = outlier(received, nid, by.cited);
      passed.set(eventId, { nid, eventId, pdu, status: 0, fresh, former: rejected.get(eventId) });
      await breath.take();
    }
    await this.#nameKeys(given, passed);
    return passed;
  }

  /** Finds the names of what is fresh: all at once, as a name that nobody has met takes a read to find out. */
  async #nameKeys(given: readonly ReceivedEvent[], passed: ReadonlyMap<string, Passed>): Promise<void> {
    await Promise.all(
      given.map(async (received) => {
        const fresh = passed.get(received.eventId)?.fresh;
        if (fresh !== undefined) fresh.key = await this.#keyOf(received);
      }),
    );
  }

  async #keyOf({ pdu }: ReceivedEvent): Promise<readonly [Nid, Nid] | undefined> {
    if (pdu.state_key === undefined) return undefined;
    const { names } = this.#parts.storage;
    return Promise.all([names.intern(pdu.type), names.intern(pdu.state_key)]);
  }

  async #members(entries: readonly StateEntry[]): Promise<{ event: StateEntry; user: Nid }[]> {
    const { names } = this.#parts.storage;
    const members = entries.filter(({ pdu }) => pdu.type === "m.room.member" && isUserId(pdu.state_key));
    return Promise.all(
      members.map(async (event) => ({ event, user: await names.intern(event.pdu.state_key ?? "") })),
    );
  }
}

const asOutlier = { status: 0, reason: "", isOutlier: true, extremities: [] } as const;

/** Its key is found later. */
function outlier({ eventId, pdu, json }: ReceivedEvent, nid: number, cited: readonly Passed[]): NewEvent {
  return {
    nid,
    eventId,
    pdu,
    json,
    key: undefined,
    authEvents: cited.map((one) => one.nid).sort((a, b) => a - b),
    before: emptyState,
    after: emptyState,
    replaced: undefined,
    redacts: undefined,
    redactedBy: undefined,
    missing: [],
    sentBy: null,
  };
}

const rejected = (eventId: string, reason: string): Begun => ({
  verdict: { eventId, outcome: "rejected", reason },
  durable: [],
});

type Place = { rules: RoomVersionRules; roomId: string; createId: string };

/**
 * Which room this is.
 * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION, M_BAD_JSON (400)
 */
function placeOf({ version, event, state, authChain }: WholeRoom): Place {
  const rules = roomVersionRules(version);
  if (rules === undefined) {
    throw new MatrixError("M_UNSUPPORTED_ROOM_VERSION", 400, `Room version ${version} is not supported.`);
  }
  const create = [event, ...authChain, ...state].find((one) => isCreate(one));
  if (create === undefined) throw badJson("The room has no create event.");
  if ((create.pdu.content.room_version ?? "1") !== version) {
    throw badJson(`The room's create event does not say that its version is ${version}.`);
  }
  const roomId = rules.roomIdIsCreateHash ? `!${create.eventId.slice(1)}` : create.pdu.room_id;
  if (roomId === undefined || (event !== create && event.pdu.room_id !== roomId)) {
    throw badJson("The event is of another room than the create event.");
  }
  return { rules, roomId, createId: create.eventId };
}

const isCreate = ({ pdu }: ReceivedEvent) => pdu.type === "m.room.create" && pdu.state_key === "";

function isOf({ roomId, rules }: RoomHead, received: ReceivedEvent): boolean {
  const { eventId, pdu } = received;
  return (rules.roomIdIsCreateHash && isCreate(received) ? `!${eventId.slice(1)}` : pdu.room_id) === roomId;
}

/** From room version 12 on, the create event that the room is named after. */
function createOf({ roomId, rules }: RoomHead, passed: ReadonlyMap<string, Passed>): Passed | undefined {
  return rules.roomIdIsCreateHash ? passed.get(`$${roomId.slice(1)}`) : undefined;
}
