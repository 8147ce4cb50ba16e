import { isUserId } from "../../matrix/identifiers.ts";
import type { Pdu } from "../../matrix/pdu.ts";
import { relationOf } from "../../matrix/threads.ts";
import type { Storage, Write } from "../storage/api.ts";
import {
  type EventNid,
  MEMBERSHIPS,
  type Membership,
  type Nid,
  type SnapshotNid,
} from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";
import { type EventStore, replacedBy } from "./event-store.ts";
import type { Memberships } from "./memberships.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { RelatedTargets } from "./related-targets.ts";
import type { Extremity, RoomHead } from "./room-head.ts";
import type { SnapshotChain, SnapshotStore } from "./snapshots.ts";
import type { AuthGraphs } from "./state/auth-graphs.ts";

export type RoomUnitParts = {
  events: EventStore;
  snapshots: SnapshotStore;
  memberships: Memberships;
  graphs: AuthGraphs;
  recent: RecentEvents;
  relatedTargets: RelatedTargets;
};

/** An event with all that has been found out about it, ready to be written. */
export type NewEvent = {
  nid: EventNid;
  eventId: string;
  pdu: Pdu;
  /** Its JSON text. */
  json: string;
  /** Of a state event: the names of its type and state key. */
  key: readonly [type: Nid, stateKey: Nid] | undefined;
  authEvents: readonly EventNid[];
  /** What authorises it has been written before, perhaps in one record with others. */
  wasOutlier?: boolean;
  before: SnapshotChain;
  after: SnapshotChain;
  /** The state event that it took the place of. */
  replaced: StoredEvent | undefined;
  /** What it redacts, and what has redacted it before it came. */
  redacts: StoredEvent | undefined;
  redactedBy: StoredEvent | undefined;
  /** Those of its `prev_events` that are not known here. */
  missing: readonly string[];
  sentBy: [deviceId: string, txnId: string] | null;
};

/** An entry of a room's state that is not what it was. */
export type StateTurn = {
  type: string;
  stateKey: string;
  /** Number of the state key's name: that of the user, for a member. */
  key: Nid;
  /** What stands there now, and what did before. */
  event: StoredEvent | undefined;
  former: StoredEvent | undefined;
};

/** Where a room stands once an event has been taken in. */
export type Advance = {
  current: SnapshotChain;
  extremities: readonly Extremity[];
  /** What has changed in the current state, but for the event itself. */
  turns: readonly StateTurn[];
};

/**
 * What one unit writes of one room: an event's row with the rows that are looked up by, the states that it needs, the
 * memberships that follow, and the log's entries. The room's head and the memory of each store move along.
 */
export class RoomUnit {
  readonly #parts: RoomUnitParts;
  readonly #write: Write;
  readonly #head: RoomHead;
  readonly #events: EventNid[] = [];
  readonly #snapshots: SnapshotNid[] = [];
  readonly #edges: { nid: EventNid; authEvents: readonly EventNid[] }[] = [];

  constructor(parts: RoomUnitParts, write: Write, head: RoomHead) {
    this.#parts = parts;
    this.#write = write;
    this.#head = head;
  }

  /** An accepted event at the end of the timeline, which moves the room on. @param detail - of its entry in the log */
  addLive(event: NewEvent, { current, extremities, turns }: Advance, detail = ""): StoredEvent {
    const head = this.#head;
    const { nid, pdu, key } = event;
    const room = head.nid;
    for (const turn of turns) {
      this.#write.append({ topic: "state", room, user: memberOf(turn), event: turn.event?.nid ?? 0 });
    }
    const isMember = pdu.type === "m.room.member" && isUserId(pdu.state_key);
    const user = isMember ? key![1] : 0;
    const order = this.#write.append({ topic: "room", room, user, event: nid, detail });
    this.#saveState(current);
    const stored = this.#insert(event, {
      order,
      current: current.nid,
      extremities: extremities.map((extremity) => extremity.nid),
    });
    const isCurrent = key !== undefined && current.entry(...key) === nid;
    if (isCurrent && isMember) this.#setMembership(stored, user, order);
    for (const turn of turns) this.#turn(turn, order);
    head.current = current;
    head.extremities = [...extremities];
    head.order = order;
    if (isCurrent) head.setState(pdu.type, pdu.state_key ?? "", stored);
    return stored;
  }

  /** Members that come with a room, as of the event that brings it. */
  addMembers(
    members: readonly { event: Pick<StoredEvent, "nid" | "pdu">; user: Nid }[],
    since: number,
  ): void {
    for (const { event, user } of members) this.#setMembership(event, user, since);
  }

  /** An accepted event of earlier, at a place in the timeline that is given. */
  addHistory(event: NewEvent, order: number): StoredEvent {
    this.#parts.recent.inserted(this.#head.nid, order);
    this.#write.append({ topic: "history", room: this.#head.nid, event: event.nid });
    return this.#insert(event, { order, current: event.after.nid, extremities: [] });
  }

  /** An event that no timeline shows: rejected or soft-failed, or an outlier. */
  addAside(
    event: NewEvent,
    about: Pick<StoredEvent, "status" | "reason" | "isOutlier" | "extremities">,
  ): StoredEvent {
    return this.#insert(event, { order: 0, current: event.after.nid, ...about });
  }

  /** Notes that a redaction has taken effect. */
  redact(target: StoredEvent, redaction: StoredEvent): void {
    this.#parts.events.redact(this.#write, target, redaction, this.#head.rules);
    this.#events.push(target.nid);
    this.#head.redacted(target.nid);
    const relation = relationOf(target.pdu.content);
    if (relation !== undefined && target.order !== 0) {
      this.#write.delete("relations", [target.room, relation.event_id, -target.order]);
    }
  }

  /** Writes an event anew that has changed in what is known about it. */
  update(event: StoredEvent): void {
    this.#parts.events.update(this.#write, event);
    this.#events.push(event.nid);
  }

  remove(event: StoredEvent): void {
    this.#parts.events.remove(this.#write, event);
  }

  /** Puts in what is written once a unit. */
  finish(): void {
    this.#parts.graphs.add(this.#write, this.#head.nid, this.#edges);
  }

  /** Called when the commit has settled. */
  settled(durable: boolean): void {
    this.#parts.events.settled(this.#events, durable);
    this.#parts.snapshots.settled(this.#snapshots, durable);
  }

  #insert(
    event: NewEvent,
    about: Pick<StoredEvent, "order" | "current" | "extremities"> &
      Partial<Pick<StoredEvent, "status" | "reason" | "isOutlier">>,
  ): StoredEvent {
    const { nid, eventId, pdu, replaced } = event;
    const stored: StoredEvent = {
      nid,
      eventId,
      room: this.#head.nid,
      roomId: this.#head.roomId,
      stateBefore: event.before.nid,
      stateAfter: event.after.nid,
      status: 0,
      reason: "",
      isOutlier: false,
      pdu,
      redactedBy: "",
      replaces: replaced?.nid ?? 0,
      ...(replaced && { replaced: replacedBy(replaced) }),
      afterGap: event.missing.length > 0,
      sentBy: event.sentBy,
      ...about,
    };
    this.#saveState(event.before);
    this.#saveState(event.after);
    this.#events.push(nid);
    if (event.key !== undefined && stored.status !== 1 && !event.wasOutlier) {
      this.#edges.push({ nid, authEvents: event.authEvents });
    }
    this.#parts.events.insert(this.#write, stored, event.json);
    if (event.redactedBy === undefined) this.#relate(stored);
    else this.#parts.events.redact(this.#write, stored, event.redactedBy, this.#head.rules);
    if (event.redacts !== undefined) this.redact(event.redacts, stored);
    return stored;
  }

  #saveState(state: SnapshotChain): void {
    this.#snapshots.push(...this.#parts.snapshots.save(this.#write, state));
  }

  /** What relates to an event is found under that one's id, be it known or not. */
  #relate({ nid, room, order, pdu }: StoredEvent): void {
    const relation = relationOf(pdu.content);
    if (relation === undefined || order === 0) return;
    const { event_id: target, rel_type: relType } = relation;
    this.#parts.relatedTargets.add(room, target);
    this.#write.put("relations", [nid, relType, pdu.type, pdu.sender], [room, target, -order]);
    if (relType === "m.thread") {
      // History that comes later may be the latest of its thread all the same, and is at most as late as the room: who
      // reads the row finds out (query/thread-rows.ts), as when a reply has been redacted.
      this.#write.put("threads", { r: room, root: target, o: -Math.max(order, this.#head.order) });
    }
  }

  #turn(turn: StateTurn, order: number): void {
    const { type, stateKey, event, former } = turn;
    this.#head.setState(type, stateKey, event);
    const user = memberOf(turn);
    if (user === 0) return;
    if (event !== undefined) this.#setMembership(event, user, order);
    // Resolved away altogether: the user is not in the room, whatever they were before.
    else if (former !== undefined) this.#setMembership(former, user, order, "leave");
  }

  #setMembership(
    { pdu, nid }: Pick<StoredEvent, "nid" | "pdu">,
    user: Nid,
    since: number,
    membership: unknown = pdu.content.membership,
  ): void {
    if (!isMembership(membership)) return;
    const { nid: room, roomId } = this.#head;
    const info = { room, roomId, membership, event: nid, since, forgotten: false };
    this.#parts.memberships.set(this.#write, pdu.state_key ?? "", user, info);
  }
}

/**
 * Queues a unit at once, so that the head has moved on when this returns; resolves when it is durable.
 * @throws CommitSuperseded when what the head rests on has failed
 */
export function commitUnit(
  parts: RoomUnitParts & { storage: Storage },
  head: RoomHead,
  fill: (unit: RoomUnit, write: Write) => void,
): Promise<void> {
  let unit: RoomUnit | undefined;
  const durable = parts.storage.commit(
    (write) => {
      unit = new RoomUnit(parts, write, head);
      fill(unit, write);
      unit.finish();
    },
    { basis: head.generation },
  );
  return durable.then(
    () => unit?.settled(true),
    (error: unknown) => {
      unit?.settled(false);
      throw error;
    },
  );
}

/** The user that a change is about, or 0. */
function memberOf({ type, stateKey, key }: StateTurn): Nid {
  return type === "m.room.member" && isUserId(stateKey) ? key : 0;
}

function isMembership(value: unknown): value is Membership {
  return MEMBERSHIPS.includes(value as Membership);
}
