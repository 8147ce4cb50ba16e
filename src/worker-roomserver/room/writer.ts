import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage, Write } from "../storage/api.ts";
import { CommitSuperseded } from "../storage/errors.ts";
import { type Author, type PlannedEvent, RoomPlan } from "./plan.ts";
import { type RecommendationParts, recommended } from "./recommendation.ts";
import type { RoomHead, RoomHeads } from "./room-head.ts";
import { commitUnit, RoomUnit, type RoomUnitParts } from "./room-unit.ts";

/** How often an operation is decided anew because a write that it was based on has failed. */
const ATTEMPTS = 3;

export type RoomWriterParts = RoomUnitParts &
  RecommendationParts & {
    storage: Storage;
    heads: RoomHeads;
    author: Author;
    /** Held by who changes a room. */
    locks: KeyedLock<string>;
  };

/** A room that does not exist yet: its head, which is empty, and the first events. */
export type NewRoom = { head: RoomHead; events: readonly PlannedEvent[] };

/**
 * Writes local events. Each room has one writer at a time: it decides on the room's head, queues its unit, moves
 * the head on and makes way; the disk is waited for outside the lock, so that a room's events share transactions.
 */
export class RoomWriter {
  readonly #parts: RoomWriterParts;

  constructor(parts: RoomWriterParts) {
    this.#parts = parts;
  }

  /**
   * Plans events in a known room and writes them as one unit.
   * @param decide - adds events to the plan; runs again if an earlier write turns out to have failed. It may
   *   leave the plan empty: nothing is written then and `fill` is not called
   * @param fill - writes that belong to the same unit
   */
  write<T>(
    roomId: string,
    decide: (plan: RoomPlan, head: RoomHead) => Promise<T>,
    fill?: (write: Write, decided: T) => void,
  ): Promise<T> {
    return this.#write(roomId, decide, (write, decided) => {
      fill?.(write, decided);
      return [];
    });
  }

  /**
   * Plans an event of a known room without writing it: one that another server has to sign first. The room goes on
   * meanwhile, so that it is to be taken in like any that comes from elsewhere.
   */
  draft<T>(roomId: string, decide: (plan: RoomPlan, head: RoomHead) => Promise<T>): Promise<T> {
    return this.#parts.locks.run(roomId, async () => {
      const head = await this.#parts.heads.own(roomId);
      return decide(new RoomPlan(head, this.#parts.author), head);
    });
  }

  /**
   * As `write`, with the first events of another room, which `decide` has planned: both rooms have moved on, or
   * neither. Nobody knows the new room before that, so its lock is not needed.
   */
  async writeWithRoom(
    roomId: string,
    decide: (plan: RoomPlan, head: RoomHead) => Promise<NewRoom>,
    fill: (write: Write, room: NewRoom) => void,
  ): Promise<NewRoom> {
    return this.#write(roomId, decide, (write, room) => {
      fill(write, room);
      return [this.#begin(write, room)];
    });
  }

  /** @param fill - @returns the units of other rooms that it has put into the write */
  async #write<T>(
    roomId: string,
    decide: (plan: RoomPlan, head: RoomHead) => Promise<T>,
    fill: (write: Write, decided: T) => RoomUnit[],
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      // Wrapped, because a promise returned from the lock would be waited for within it.
      const { durable } = await this.#parts.locks.run(roomId, async () => {
        const head = await this.#parts.heads.own(roomId);
        const plan = new RoomPlan(head, this.#parts.author);
        const decided = await decide(plan, head);
        if (plan.events.length === 0) return { durable: this.#nothingNew(head, decided) };
        const events = await recommended(this.#parts, head, plan.events);
        return {
          durable: this.#commit(head, events, (write) => fill(write, decided)).then(() => decided),
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
  async create(room: NewRoom, fill: (write: Write) => void): Promise<void> {
    const { head, events } = room;
    await this.#commit(head, events, (write) => {
      putRoom(write, head);
      fill(write);
      return [];
    });
  }

  /** The answer rests on what is already there, which may be queued yet: it counts once that is durable. */
  async #nothingNew<T>(head: RoomHead, decided: T): Promise<T> {
    await this.#parts.storage.settled();
    if (this.#parts.storage.generation !== head.generation) throw new CommitSuperseded();
    return decided;
  }

  /**
   * Queues the unit at once, so that the head has moved on when this returns; resolves when it is durable.
   * @param fill - @returns the units of other rooms that it has put into the write
   */
  async #commit(
    head: RoomHead,
    events: readonly PlannedEvent[],
    fill: (write: Write) => RoomUnit[],
  ): Promise<void> {
    let others: RoomUnit[] = [];
    const settle = (durable: boolean) => {
      for (const other of others) other.settled(durable);
    };
    try {
      await commitUnit(this.#parts, head, (unit, write) => {
        for (const planned of events) this.#add(unit, head, planned);
        others = fill(write);
        this.#parts.heads.keep(head);
      });
    } catch (error) {
      settle(false);
      throw error;
    }
    settle(true);
  }

  /** Puts the first events of a room into a write that is filled for another. @returns what is to be settled */
  #begin(write: Write, { head, events }: NewRoom): RoomUnit {
    const unit = new RoomUnit(this.#parts, write, head);
    putRoom(write, head);
    for (const planned of events) this.#add(unit, head, planned);
    unit.finish();
    this.#parts.heads.keep(head);
    return unit;
  }

  /** The next event of a room that everything here builds on: the state before it is the current one. */
  #add(unit: RoomUnit, head: RoomHead, planned: PlannedEvent): void {
    const { nid, eventId, pdu, key } = planned;
    const before = head.current;
    const after = key === undefined ? before : this.#parts.snapshots.derive(before, [[...key, nid]]);
    const event = {
      ...planned,
      before,
      after,
      replaced: key && head.known(pdu.type, pdu.state_key ?? ""),
      redacts: planned.redacted,
      redactedBy: undefined,
      missing: [],
    };
    const extremity = { nid, eventId, pdu, stateAfter: after.nid };
    unit.addLive(event, { current: after, extremities: [extremity], turns: [] });
  }
}

function putRoom(write: Write, { nid, roomId, rules }: RoomHead): void {
  write.put("rooms", { roomId, version: rules.id }, nid);
}
