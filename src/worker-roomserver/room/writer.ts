import { isUserId } from "../../matrix/identifiers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage, Write } from "../storage/api.ts";
import { CommitSuperseded } from "../storage/errors.ts";
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
import { type Author, type PlannedEvent, RoomPlan } from "./plan.ts";
import type { RoomHead, RoomHeads } from "./room-head.ts";
import type { SnapshotStore } from "./snapshots.ts";

/** How often an operation is decided anew because a write that it was based on has failed. */
const ATTEMPTS = 3;

export type RoomWriterParts = {
  storage: Storage;
  events: EventStore;
  snapshots: SnapshotStore;
  memberships: Memberships;
  heads: RoomHeads;
  author: Author;
};

/**
 * Writes local events. Each room has one writer at a time: it decides on the room's head, queues its unit, moves
 * the head on and makes way; the disk is waited for outside the lock, so that a room's events share transactions.
 */
export class RoomWriter {
  readonly #parts: RoomWriterParts;
  readonly #locks = new KeyedLock<string>();

  constructor(parts: RoomWriterParts) {
    this.#parts = parts;
  }

  /**
   * Plans events in a known room and writes them as one unit.
   * @param decide - adds events to the plan; runs again if an earlier write turns out to have failed. It may
   *   leave the plan empty: nothing is written then and `fill` is not called
   * @param fill - writes that belong to the same unit
   */
  async write<T>(
    roomId: string,
    decide: (plan: RoomPlan, head: RoomHead) => Promise<T>,
    fill?: (write: Write, decided: T) => void,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      // Wrapped, because a promise returned from the lock would be waited for within it.
      const { durable } = await this.#locks.run(roomId, async () => {
        const head = await this.#parts.heads.own(roomId);
        const plan = new RoomPlan(head, this.#parts.author);
        const decided = await decide(plan, head);
        if (plan.events.length === 0) return { durable: this.#nothingNew(head, decided) };
        const users = await this.#memberNids(plan.events);
        return {
          durable: this.#commit(head, plan.events, users, (write) => fill?.(write, decided)).then(
            () => decided,
          ),
        };
      });
      try {
        return await durable;
      } catch (error) {
        if (!(error instanceof CommitSuperseded) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Writes the first events of a room that does not exist yet. */
  async create(head: RoomHead, events: readonly PlannedEvent[], fill: (write: Write) => void): Promise<void> {
    const users = await this.#memberNids(events);
    await this.#commit(head, events, users, (write) => {
      write.put("rooms", { roomId: head.roomId, version: head.rules.id }, head.nid);
      fill(write);
    });
  }

  /** The answer rests on what is already there, which may be queued yet: it counts once that is durable. */
  async #nothingNew<T>(head: RoomHead, decided: T): Promise<T> {
    await this.#parts.storage.settled();
    if (this.#parts.storage.generation !== head.generation) throw new CommitSuperseded();
    return decided;
  }

  async #memberNids(events: readonly PlannedEvent[]): Promise<Map<string, Nid>> {
    const users = new Map<string, Nid>();
    for (const { pdu } of events) {
      if (pdu.type === "m.room.member" && isUserId(pdu.state_key)) {
        users.set(pdu.state_key, await this.#parts.storage.names.intern(pdu.state_key));
      }
    }
    return users;
  }

  /** Queues the unit at once, so that the head has moved on when this returns; resolves when it is durable. */
  #commit(
    head: RoomHead,
    events: readonly PlannedEvent[],
    users: ReadonlyMap<string, Nid>,
    fill: (write: Write) => void,
  ): Promise<void> {
    const { storage, heads } = this.#parts;
    const written: Written = { events: [], snapshots: [] };
    const durable = storage.commit(
      (write) => {
        for (const planned of events) this.#writeEvent(write, head, planned, users, written);
        fill(write);
        heads.keep(head);
      },
      { basis: head.generation },
    );
    const settle = (isDurable: boolean) => {
      this.#parts.events.settled(written.events, isDurable);
      this.#parts.snapshots.settled(written.snapshots, isDurable);
    };
    return durable.then(
      () => settle(true),
      (error: unknown) => {
        settle(false);
        throw error;
      },
    );
  }

  #writeEvent(
    write: Write,
    head: RoomHead,
    planned: PlannedEvent,
    users: ReadonlyMap<string, Nid>,
    written: Written,
  ): void {
    const { events, snapshots } = this.#parts;
    const { pdu, names } = planned;
    const nid = write.newEvent();
    const user = pdu.type === "m.room.member" ? (users.get(pdu.state_key ?? "") ?? 0) : 0;
    const order = write.append({ topic: "room", room: head.nid, user, event: nid });
    const stateBefore = head.current;
    const replaced = names && head.known(pdu.type, pdu.state_key ?? "");
    if (names !== undefined) {
      head.current = snapshots.extend(write, stateBefore, [[names.type, names.key, nid]]);
      written.snapshots.push(head.current.nid);
    }
    const event: StoredEvent = {
      nid,
      eventId: planned.eventId,
      room: head.nid,
      roomId: head.roomId,
      order,
      stateBefore: stateBefore.nid,
      current: head.current.nid,
      status: 0,
      pdu,
      redactedBy: "",
      replaces: (names && stateBefore.entry(names.type, names.key)) ?? 0,
      ...(replaced && { replaced: replacedBy(replaced) }),
      sentBy: planned.sentBy,
    };
    events.insert(write, event, planned.json);
    written.events.push(nid);
    if (names !== undefined) head.setState(event);
    if (user !== 0) this.#writeMembership(write, event, user);
    if (planned.redacted !== undefined) this.#writeRedaction(write, head, planned.redacted, event, written);
    head.extremities = [{ nid, eventId: event.eventId, pdu }];
    head.depth = pdu.depth;
    head.order = order;
  }

  #writeMembership(write: Write, event: StoredEvent, user: Nid): void {
    const { membership } = event.pdu.content;
    if (!isMembership(membership)) return;
    this.#parts.memberships.set(write, event.pdu.state_key ?? "", user, {
      room: event.room,
      roomId: event.roomId,
      membership,
      event: event.nid,
      since: event.order,
      forgotten: false,
    });
  }

  #writeRedaction(
    write: Write,
    head: RoomHead,
    target: StoredEvent,
    by: StoredEvent,
    written: Written,
  ): void {
    this.#parts.events.redact(write, target, by, head.rules);
    written.events.push(target.nid);
    head.redacted(target.nid);
  }
}

type Written = { events: EventNid[]; snapshots: SnapshotNid[] };

function isMembership(value: unknown): value is Membership {
  return MEMBERSHIPS.includes(value as Membership);
}
