import type { AuthGraph, EventNid } from "./api.ts";

/** Bytes of a graph that are not in its arrays. */
const fixedWeight = 200;

/**
 * A room's auth graph in typed arrays: 8 bytes an event and 4 for each auth event, so that one of 50,000 members
 * takes between one and two megabytes.
 */
export class CompactAuthGraph implements AuthGraph {
  /** In ascending order. */
  #nids: Uint32Array<ArrayBuffer>;
  /** Where in `#edges` the auth events of each event end; those of the next one begin there. */
  #ends: Uint32Array<ArrayBuffer>;
  #edges: Uint32Array<ArrayBuffer>;
  #size = 0;

  /**
   * @param records - `[nid, number of auth events, ...their nids]` one after the other, in ascending order of the
   *   first; a nid that occurs again is ignored. No record goes over the end of an array.
   */
  constructor(records: readonly Uint32Array[] = []) {
    let events = 0;
    let edges = 0;
    for (const [, authEvents] of recordsIn(records)) {
      events += 1;
      edges += authEvents.length;
    }
    this.#nids = new Uint32Array(events);
    this.#ends = new Uint32Array(events);
    this.#edges = new Uint32Array(edges);
    for (const [nid, authEvents] of recordsIn(records)) this.add(nid, authEvents);
  }

  /** How many events it knows. */
  get size(): number {
    return this.#size;
  }

  /** The memory that it takes, in bytes. */
  get weight(): number {
    return fixedWeight + this.#nids.byteLength + this.#ends.byteLength + this.#edges.byteLength;
  }

  authEventsOf(nid: EventNid): ArrayLike<EventNid> {
    const index = this.#indexOf(nid);
    if (this.#nids[index] !== nid || index >= this.#size) return [];
    // A short array is made faster than a view is, and takes less.
    const authEvents: EventNid[] = [];
    for (let edge = this.#startOf(index); edge < this.#ends[index]!; edge++) {
      authEvents.push(this.#edges[edge]!);
    }
    return authEvents;
  }

  /** Adds an event; nothing is changed for one that is there. Cheap at the end, a copy of the graph elsewhere. */
  add(nid: EventNid, authEvents: ArrayLike<EventNid>): void {
    const index = this.#indexOf(nid);
    if (index < this.#size && this.#nids[index] === nid) return;
    const start = this.#startOf(index);
    const edges = this.#startOf(this.#size);
    this.#edges = withRoomFor(this.#edges, edges + authEvents.length);
    this.#nids = withRoomFor(this.#nids, this.#size + 1);
    this.#ends = withRoomFor(this.#ends, this.#size + 1);
    if (index < this.#size) {
      this.#edges.copyWithin(start + authEvents.length, start, edges);
      this.#nids.copyWithin(index + 1, index, this.#size);
      this.#ends.copyWithin(index + 1, index, this.#size);
    }
    this.#edges.set(authEvents, start);
    this.#nids[index] = nid;
    this.#ends[index] = start;
    this.#size += 1;
    for (let later = index; later < this.#size; later++) this.#ends[later]! += authEvents.length;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  /** Where an event is, or would be put. */
  #indexOf(nid: EventNid): number {
    let low = 0;
    let high = this.#size;
    if (high > 0 && this.#nids[high - 1]! < nid) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#nids[middle]! < nid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function* recordsIn(pieces: readonly Uint32Array[]): Generator<[nid: EventNid, authEvents: Uint32Array]> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const end = at + 2 + piece[at + 1]!;
      yield [piece[at]!, piece.subarray(at + 2, end)];
      at = end;
    }
  }
}

/** Grows by an eighth, as little as appending one by one allows without copying too often. */
function withRoomFor(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const grown = new Uint32Array(length + (length >> 3) + 8);
  grown.set(array);
  return grown;
}
