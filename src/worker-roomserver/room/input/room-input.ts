import { authEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { Breath } from "../../node/breathe.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import { CommitSuperseded } from "../../storage/errors.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { RoomHead, RoomHeads } from "../room-head.ts";
import type { InputVerdict, ReceiveOptions, RoomInput, WholeRoom } from "./api.ts";
import { allReferences, inOrder } from "./in-order.ts";
import type { ExtremityMerger } from "./merge.ts";
import { EventTaker, type Taken, type TakingParts } from "./take-event.ts";
import { WholeRoomTaker } from "./whole-room.ts";

/** How often events are judged anew because a write that this was based on has failed. */
const ATTEMPTS = 3;

/** Events taken in before others may have the room's lock: a local user's message must not wait for thousands. */
const AT_ONCE = 50;

export type RoomInputParts = TakingParts & {
  heads: RoomHeads;
  locks: KeyedLock<string>;
  merger: ExtremityMerger;
};

/** Takes in what other servers have sent. */
export class RoomServerInput implements RoomInput {
  readonly #parts: RoomInputParts;
  readonly #taker: EventTaker;
  readonly #rooms: WholeRoomTaker;

  constructor(parts: RoomInputParts) {
    this.#parts = parts;
    this.#taker = new EventTaker(parts);
    this.#rooms = new WholeRoomTaker(parts, this.#taker);
  }

  async receive(
    roomId: string,
    events: readonly ReceivedEvent[],
    options: ReceiveOptions = {},
  ): Promise<InputVerdict[]> {
    const ordered = inOrder(events, allReferences);
    const verdicts = await this.#untilItHolds(async () => {
      const verdicts = new Map<string, InputVerdict>();
      for (let first = 0; first < ordered.length; first += AT_ONCE) {
        const some = ordered.slice(first, first + AT_ONCE);
        for (const verdict of await this.#takeSome(roomId, some, options)) {
          verdicts.set(verdict.eventId, verdict);
        }
      }
      return verdicts;
    });
    return events.map(({ eventId }) => verdicts.get(eventId)!);
  }

  takeInRoom(room: WholeRoom): Promise<InputVerdict> {
    return this.#untilItHolds(() => this.#rooms.take(room));
  }

  /** Does it again where memory that it rested on turns out to be void. */
  async #untilItHolds<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof CommitSuperseded) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #takeSome(
    roomId: string,
    events: readonly ReceivedEvent[],
    options: ReceiveOptions,
  ): Promise<InputVerdict[]> {
    const { locks, heads, storage, merger } = this.#parts;
    const breath = new Breath();
    // Wrapped, because promises returned from the lock would be waited for within it.
    const { verdicts, durable } = await locks.run(roomId, async () => {
      const head = await heads.own(roomId);
      // One look for all of them, rather than one for each.
      await this.#parts.events.byIds(events.map(({ eventId }) => eventId));
      const verdicts: InputVerdict[] = [];
      const durable: Promise<void>[] = [];
      for (const event of events) {
        const taken = await this.#taker.take(head, event, options);
        verdicts.push(taken.verdict);
        await this.#follow(head, taken, durable);
        await breath.take();
      }
      const merged = await merger.merge(head, (event) => this.#taker.take(head, event, {}));
      for (const taken of merged) await this.#follow(head, taken, durable);
      return { verdicts, durable };
    });
    const settled = await Promise.allSettled(durable);
    const failure = settled.find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    // A duplicate may be one of what is still on its way to the disk.
    await storage.settled();
    return verdicts;
  }

  /** Judges again what was rejected for want of the event that has come, and what that leads to. */
  async #follow(head: RoomHead, { durable, freed = [] }: Taken, all: Promise<void>[]): Promise<void> {
    if (durable !== undefined) all.push(ignoringLater(durable));
    const queue: EventNid[] = [...freed];
    // What has been allowed since it was put there goes by another number.
    const allowed = new Set<EventNid>();
    const breath = new Breath();
    // Goes on to what is added meanwhile.
    for (const nid of queue) {
      if (allowed.has(nid)) continue;
      const event = await this.#parts.events.getOne(nid);
      const { eventId, pdu } = event;
      const received = { eventId, pdu, json: JSON.stringify(pdu) } as ReceivedEvent;
      const again = await this.#taker.take(head, received, {
        as: event.isOutlier ? "outlier" : "live",
        unobtainable: authEventIds(pdu),
      });
      if (again.durable !== undefined) all.push(ignoringLater(again.durable));
      if (again.verdict.outcome !== "rejected") allowed.add(nid);
      queue.push(...(again.freed ?? []));
      await breath.take();
    }
  }
}

/** It is waited for later: until then, a failure is nobody's business. */
function ignoringLater(durable: Promise<void>): Promise<void> {
  durable.catch(() => undefined);
  return durable;
}
