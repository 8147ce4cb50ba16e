import { badJson, MatrixError } from "../../../matrix/errors.ts";
import { authEventIds, prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import { Breath } from "../../node/breathe.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomHead, RoomHeads } from "../room-head.ts";
import { commitUnit, type NewEvent } from "../room-unit.ts";
import { SnapshotChain } from "../snapshots.ts";
import { lookupIn, type StateEntry } from "../state/lookup.ts";
import { toldState } from "../state/told-state.ts";
import type { InputVerdict, WholeRoom } from "./api.ts";
import { authReferences, inOrder } from "./in-order.ts";
import { Judge } from "./judge.ts";
import type { EventTaker, Taken, TakingParts } from "./take-event.ts";

type Parts = TakingParts & {
  heads: RoomHeads;
  locks: KeyedLock<string>;
  clear: (roomId: string) => Promise<void>;
};

/** An event of the state or the auth chain that has passed; `fresh` if it was not known before. */
type Passed = StateEntry & { fresh: NewEvent | undefined };

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
    const { rules, roomId } = placeOf(room);
    const { heads, locks, storage, clear } = this.#parts;
    // Wrapped, because promises returned from the lock would be waited for within it.
    const { verdict, durable } = await locks.run(roomId, async (): Promise<Taken> => {
      const isKnown = (await heads.find(roomId)) !== undefined;
      if (!isKnown) {
        await clear(roomId);
        return this.#begin(room, roomId, rules);
      }
      const head = await heads.own(roomId);
      if (head.rules !== rules) throw badJson(`The room has the version ${head.rules.id} here.`);
      return this.#comeBack(room, head);
    });
    if (durable === undefined) await storage.settled();
    else await durable;
    return verdict;
  }

  /** A room that was not known: all of it is one unit. */
  async #begin(room: WholeRoom, roomId: string, rules: RoomVersionRules): Promise<Taken> {
    const { event } = room;
    const { eventId } = event;
    const { heads, storage, snapshots, ed25519 } = this.#parts;
    const head = heads.fresh(await storage.names.intern(roomId), roomId, rules, emptyState);
    const passed = await this.#passed(room, head);
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
    return { verdict: { eventId, outcome: "accepted" }, durable };
  }

  /**
   * A room that is known already. What is new of the answer is stored for what it authorises; then its state is that
   * before the event, and is resolved with what stands here.
   */
  async #comeBack(room: WholeRoom, head: RoomHead): Promise<Taken> {
    const passed = await this.#passed(room, head);
    const fresh = [...passed.values()].map((one) => one.fresh).filter((one) => one !== undefined);
    if (fresh.length > 0) {
      // The event's own unit rests on this one.
      commitUnit(this.#parts, head, (unit) => {
        for (const event of fresh) unit.addAside(event, asOutlier);
      }).catch(() => undefined);
    }
    const state = room.state.map(({ eventId }) => eventId).filter((id) => passed.has(id));
    return this.#taker.take(head, room.event, {
      statesBefore: { [room.event.eventId]: state },
      isWelcome: true,
    });
  }

  /** The events of the answer, and those that they cite, that are known here, by id. */
  async #known({ state, authChain, event }: WholeRoom, head: RoomHead): Promise<Map<string, Passed>> {
    const ids = new Set(
      [...authChain, ...state, event].flatMap((one) => [one.eventId as string, ...authEventIds(one.pdu)]),
    );
    const known = new Map<string, Passed>();
    for (const stored of await this.#parts.events.byIds([...ids])) {
      if (stored?.room === head.nid && stored.status !== 1) {
        known.set(stored.eventId, { ...stored, fresh: undefined });
      }
    }
    return known;
  }

  /** What of the state and the auth chain is allowed by what it cites, by id. Linear in what is given. */
  async #passed(room: WholeRoom, head: RoomHead): Promise<Map<string, Passed>> {
    const { state, authChain, event } = room;
    const { storage, ed25519 } = this.#parts;
    const listed = [...authChain, ...state];
    // From room version 12 on all events need the create event, and none cites it.
    const given = inOrder([...listed.filter(isCreate), ...listed], authReferences);
    const passed = await this.#known(room, head);
    const breath = new Breath();
    for (const received of given) {
      const { eventId, pdu } = received;
      if (eventId === event.eventId || passed.has(eventId) || !isOf(head, received)) continue;
      const cited = authEventIds(pdu).map((id) => passed.get(id));
      if (cited.includes(undefined)) continue;
      const by = { cited: cited as Passed[], create: createOf(head, passed) };
      if ((await new Judge(received, head.rules, by, ed25519).byAuthEvents(by.cited)) !== undefined) continue;
      const nid = storage.newEvent();
      const fresh = outlier(received, nid, by.cited);
      passed.set(eventId, { nid, eventId, pdu, status: 0, fresh });
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
    const members = entries.filter(({ pdu }) => pdu.type === "m.room.member");
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

const rejected = (eventId: string, reason: string): Taken => ({
  verdict: { eventId, outcome: "rejected", reason },
});

/**
 * Which room this is.
 * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION, M_BAD_JSON (400)
 */
function placeOf({ version, event, state, authChain }: WholeRoom): {
  rules: RoomVersionRules;
  roomId: string;
} {
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
  return { rules, roomId };
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
