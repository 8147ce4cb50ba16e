import { orderBefore } from "../node/tokens.ts";
import type { Storage } from "../storage/api.ts";
import type { EventNid, Nid, SnapshotNid } from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";

/** An event's place in its room's timeline, and the room's current state once it was taken in. */
export type Point = { order: number; event: EventNid; current: SnapshotNid };

/** Points kept of one room, and of all rooms together. */
const KEPT_IN_ROOM = 100;
const KEPT = 20_000;

/** The end of a room's timeline: complete after `since`, oldest first. */
type Tail = { since: number; points: Point[] };

/** `from`: where it begins, going back; `after`: where it ends, which is not part of it; `count`: at most. */
export type Stretch = { from: number; after: number; count: number };

/**
 * The ends of the rooms' timelines, in memory: who follows the log asks for what has just come, again and again, and
 * who opens a room for its newest page. A room without a tail has had no event since `#since`.
 */
export class RecentEvents {
  #since: number;
  #tails = new Map<Nid, Tail>();
  #size = 0;
  /** Counts what was put into timelines or taken out elsewhere than at their ends. */
  #upheavals = 0;
  /** Rooms that are being purged: to readers they have no events, whatever of them is still on the disk. */
  readonly #purged = new Set<Nid>();

  /** @param known - an event that has just been written */
  constructor(storage: Storage, known: (nid: EventNid) => StoredEvent | undefined) {
    this.#since = storage.position;
    storage.onEntries((entries) => {
      for (const { topic, room, event, position } of entries) {
        if (topic !== "room") continue;
        const written = known(event);
        if (written?.isOutOfBand !== true) this.#push(room, written, position);
      }
    });
  }

  /**
   * The newest points with `after < order <= from`, newest first, at most `count`.
   * @returns undefined where memory does not reach back that far
   */
  backward(room: Nid, { from, after, count }: Stretch): Point[] | undefined {
    if (this.#purged.has(room)) return [];
    const tail = this.#tails.get(room);
    const points = (tail?.points ?? []).filter(({ order }) => after < order && order <= from);
    if (points.length < count && after < (tail?.since ?? this.#since)) return undefined;
    return points.slice(-count).reverse();
  }

  /**
   * To be called before a stretch is read from the disk.
   * @returns to be called with what was found, the newest first: it is kept where it goes on from what is in memory
   */
  reading(room: Nid, { from, after, count }: Stretch): (found: readonly StoredEvent[]) => void {
    const before = this.#upheavals;
    return (found) => {
      if (before !== this.#upheavals || this.#purged.has(room)) return;
      const tail = this.#tails.get(room) ?? { since: this.#since, points: [] };
      const older = found.filter(({ order }) => order <= tail.since).reverse();
      const last = found.at(-1);
      const since = found.length < count || last === undefined ? after : orderBefore(last.order);
      const goesOn = since < tail.since && tail.since <= from;
      if (
        !goesOn ||
        tail.points.length + older.length > 2 * KEPT_IN_ROOM ||
        this.#size + older.length > KEPT
      ) {
        return;
      }
      tail.points.unshift(...older.map(pointOf));
      tail.since = since;
      this.#size += older.length;
      this.#tails.set(room, tail);
    };
  }

  purge(room: Nid): void {
    this.#upheavals += 1;
    this.#purged.add(room);
    const tail = this.#tails.get(room);
    // Its end is what the disk says: nothing, or what a later life of the room brings.
    if (tail !== undefined) this.#cut(tail, tail.points.length);
  }

  /** Nothing of the room is on the disk any more. */
  purged(room: Nid): void {
    this.#upheavals += 1;
    this.#purged.delete(room);
  }

  /** An event is put into the timeline where others are after it: memory answers for what comes after it alone. */
  inserted(room: Nid, order: number): void {
    this.#upheavals += 1;
    const tail = this.#tails.get(room);
    if (tail === undefined || order <= tail.since) return;
    const later = tail.points.findIndex((point) => point.order > order);
    this.#cut(tail, later === -1 ? tail.points.length : later);
    tail.since = order;
  }

  #push(room: Nid, event: StoredEvent | undefined, position: number): void {
    const tail = this.#tails.get(room) ?? { since: this.#since, points: [] };
    this.#tails.set(room, tail);
    if (event === undefined) {
      this.#cut(tail, tail.points.length);
      tail.since = position;
      return;
    }
    tail.points.push(pointOf(event));
    this.#size += 1;
    // In halves, so that the cost is spread.
    if (tail.points.length > 2 * KEPT_IN_ROOM) this.#cut(tail, KEPT_IN_ROOM);
    if (this.#size > KEPT) this.#forget(position);
  }

  #cut(tail: Tail, count: number): void {
    const cut = tail.points.splice(0, count);
    this.#size -= cut.length;
    tail.since = cut.at(-1)?.order ?? tail.since;
  }

  #forget(position: number): void {
    this.#tails = new Map();
    this.#size = 0;
    this.#since = position;
  }
}

function pointOf({ order, nid, current }: StoredEvent): Point {
  return { order, event: nid, current };
}
