import { prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { Storage } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";
import type { Gaps } from "./gaps.ts";

/**
 * The distance between events that are put in front of one that came live: a million of them fit before the log
 * position ahead of that, and as doubles such orders are exact up to four thousand million positions.
 */
const STEP = 2 ** -20;
/** Whole numbers are positions of the log. */
const OFF_THE_LOG = STEP / 2;

/** Events of one batch that come before the same event of the timeline, or before all there is. */
type Stretch = {
  /** How many are left of them, counted from each to the last. */
  left: Map<string, number>;
  /** What they go in front of: known once the first of them is placed. */
  end?: number;
};

/**
 * Where those of a batch of events go that are from before others. All that leads, within the batch, to an event that
 * was missing comes before what that was missing for; what leads to nothing known comes before all there is.
 */
export class HistoryPlaces {
  readonly #storage: Storage;
  readonly #room: Nid;
  /** By event id, the order of the event that it comes right before or infinity. */
  readonly #before: ReadonlyMap<string, number>;
  readonly #stretches = new Map<number, Stretch>();

  /**
   * Costs a look into memory for each event.
   * @param batch - each event after those that it is built upon
   */
  static async of(
    { storage, gaps }: { storage: Storage; gaps: Gaps },
    room: Nid,
    batch: readonly ReceivedEvent[],
  ): Promise<HistoryPlaces> {
    const before = new Map<string, number>();
    const orderOfNext = (eventId: string) => before.get(eventId) ?? Number.POSITIVE_INFINITY;
    for (const { eventId, pdu } of batch.toReversed()) {
      const filled = await gaps.before(room, eventId);
      const order = Math.min(orderOfNext(eventId), ...filled.map((gap) => gap.order));
      before.set(eventId, order);
      for (const id of prevEventIds(pdu)) before.set(id, Math.min(orderOfNext(id), order));
    }
    return new HistoryPlaces(storage, room, batch, before);
  }

  private constructor(
    storage: Storage,
    room: Nid,
    batch: readonly ReceivedEvent[],
    before: ReadonlyMap<string, number>,
  ) {
    this.#storage = storage;
    this.#room = room;
    this.#before = before;
    for (const { eventId } of batch.toReversed()) {
      const order = this.#orderOfNext(eventId);
      const stretch = this.#stretches.get(order) ?? { left: new Map<string, number>() };
      this.#stretches.set(order, stretch);
      stretch.left.set(eventId, stretch.left.size + 1);
    }
  }

  /** Whether an event of the batch comes before one that the timeline has. */
  isBeforeOthers(eventId: string): boolean {
    return Number.isFinite(this.#orderOfNext(eventId));
  }

  /**
   * The order of an event of the batch: below all that lies between what it comes before and the log position ahead
   * of that, and above those of the batch that come before it. One key read for each stretch. The room's lock is held.
   */
  async orderOf(eventId: string): Promise<number> {
    const before = this.#orderOfNext(eventId);
    const stretch = this.#stretches.get(before);
    const left = stretch?.left.get(eventId);
    if (stretch === undefined || left === undefined) throw new Error(`${eventId} is not in the batch`);
    stretch.end ??= await this.#lowest(before);
    return stretch.end - left * STEP;
  }

  #orderOfNext(eventId: string): number {
    return this.#before.get(eventId) ?? Number.POSITIVE_INFINITY;
  }

  async #lowest(before: number): Promise<number> {
    const range = Number.isFinite(before)
      ? IDBKeyRange.bound([this.#room, -before], [this.#room, 1 - Math.ceil(before)], false, true)
      : IDBKeyRange.bound([this.#room, Number.NEGATIVE_INFINITY], [this.#room, Number.POSITIVE_INFINITY]);
    // What is queued counts as well.
    await this.#storage.settled();
    // The orders are negated in the index, so the lowest is last; and only a cursor goes backwards.
    const cursor = await this.#storage.read(["events"], (tx) =>
      tx.objectStore("events").index("timeline").openKeyCursor(range, "prev"),
    );
    const lowest = cursor === null ? before : -(cursor.key[1] as number);
    // Between what leads to nothing known and all there is, something may be missing that comes later: it goes in between.
    if (!Number.isFinite(before)) return Math.ceil(lowest) - 1 + OFF_THE_LOG;
    return Number.isInteger(lowest) ? lowest + OFF_THE_LOG : lowest;
  }
}
