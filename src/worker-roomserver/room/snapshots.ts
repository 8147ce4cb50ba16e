import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, Nid, SnapshotNid, SnapshotRow } from "../storage/schema.ts";

/*
 * State snapshots as skip deltas. The snapshots of a room form a chain in which each has an index; the one of
 * index n holds what has changed since the one of index n & (n − 1) (n with its lowest one-bit cleared). Any
 * state is then read with as many records as n has one-bits, at most log2 n, and n changes take n/2 · log2 n
 * entries in all, while a full copy for each would take n². Only the root of a chain stands alone.
 */

/** A state key as one number, so that maps of it are cheap. */
type Pair = number;
const PAIR = 2 ** 26;
const pairOf = (type: Nid, key: Nid): Pair => type * PAIR + key;

export type StateChange = [type: Nid, key: Nid, event: EventNid];

type Snapshot = { nid: SnapshotNid; base: SnapshotNid; index: number; delta: Map<Pair, EventNid> };

const weightOf = ({ delta }: Snapshot): number => delta.size + 8;

/** Snapshots read at once: a plan makes several in a row, and a chain goes back from one to the other. */
const READ_TOGETHER = 8;

/** Entries kept in memory over all snapshots. */
const CACHED_ENTRIES = 1_000_000;

export class SnapshotStore {
  readonly #storage: Storage;
  readonly #cache = new Lru<SnapshotNid, Snapshot>(CACHED_ENTRIES, weightOf);
  readonly #queued = new Map<SnapshotNid, Snapshot>();
  /** Derived, and not queued for writing. */
  readonly #unsaved = new WeakSet<Snapshot>();
  readonly #reading = new Map<SnapshotNid, Promise<Snapshot>>();

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#queued.clear();
      this.#cache.clear();
    });
  }

  /** The chain from a snapshot to its root, newest first; 0 is the empty state. */
  async chain(nid: SnapshotNid): Promise<SnapshotChain> {
    const links: Snapshot[] = [];
    for (let next = nid; next !== 0; ) {
      const snapshot = this.#queued.get(next) ?? this.#cache.get(next) ?? (await this.#loadOnce(next));
      links.push(snapshot);
      next = snapshot.base;
    }
    return new SnapshotChain(links);
  }

  /**
   * The state that follows from the chain's with these changes; the same one where there are none. It is in memory
   * alone until it is saved.
   */
  derive(before: SnapshotChain, changes: readonly StateChange[]): SnapshotChain {
    if (changes.length === 0) return before;
    const delta = new Map(changes.map(([type, key, event]) => [pairOf(type, key), event]));
    const parent = before.links[0];
    const index = parent === undefined ? 0 : parent.index + 1;
    const baseIndex = index & (index - 1);
    const kept = before.links.slice();
    // What lies between the parent and the base goes into the new delta; what is newer wins.
    while (kept[0] !== undefined && kept[0].index > baseIndex) {
      for (const [pair, event] of kept.shift()!.delta) if (!delta.has(pair)) delta.set(pair, event);
    }
    const snapshot = { nid: this.#storage.newSnapshot(), base: kept[0]?.nid ?? 0, index, delta };
    this.#unsaved.add(snapshot);
    return new SnapshotChain([snapshot, ...kept]);
  }

  /** Queues what of a chain is not stored yet. @returns the numbers of that */
  save(write: Write, chain: SnapshotChain): SnapshotNid[] {
    const saved: SnapshotNid[] = [];
    for (const snapshot of chain.links) {
      if (!this.#unsaved.delete(snapshot)) continue;
      write.put("snapshots", toRow(snapshot), snapshot.nid);
      this.#queued.set(snapshot.nid, snapshot);
      saved.push(snapshot.nid);
    }
    return saved;
  }

  /** Called when the commit that these were queued in has settled. */
  settled(nids: readonly SnapshotNid[], durable: boolean): void {
    for (const nid of nids) {
      const snapshot = this.#queued.get(nid);
      if (snapshot === undefined) continue;
      this.#queued.delete(nid);
      if (durable) this.#cache.set(nid, snapshot);
    }
  }

  /** Who builds an answer asks for several entries of a state at once. */
  #loadOnce(nid: SnapshotNid): Promise<Snapshot> {
    const same = this.#reading.get(nid);
    if (same !== undefined) return same;
    const snapshot = this.#load(nid).finally(() => this.#reading.delete(nid));
    this.#reading.set(nid, snapshot);
    return snapshot;
  }

  async #load(nid: SnapshotNid): Promise<Snapshot> {
    const first = Math.max(1, nid - READ_TOGETHER + 1);
    const range = IDBKeyRange.bound(first, nid);
    const rows = await this.#storage.getAll("snapshots", range);
    // Numbers are missing where a state was derived and came to nothing.
    const areAll = rows.length === nid - first + 1;
    const nids = areAll ? undefined : await this.#storage.getAllKeys("snapshots", range);
    rows.forEach((row, i) => {
      const read = nids?.[i] ?? first + i;
      this.#cache.set(read, fromRow(read, row));
    });
    const snapshot = this.#cache.get(nid);
    if (snapshot === undefined)
      throw new Error(`state snapshot ${nid} is named in the database but not in it`);
    return snapshot;
  }
}

/** A state: the deltas that make it up. */
export class SnapshotChain {
  /** Newest first; the last is a root. */
  readonly links: readonly Snapshot[];

  constructor(links: readonly Snapshot[]) {
    this.links = links;
  }

  get nid(): SnapshotNid {
    return this.links[0]?.nid ?? 0;
  }

  /** The entries of its deltas, and something for each of these: what it takes to keep it. */
  get weight(): number {
    return this.links.reduce((sum, link) => sum + weightOf(link), 0);
  }

  entry(type: Nid, key: Nid): EventNid | undefined {
    const pair = pairOf(type, key);
    for (const { delta } of this.links) {
      const event = delta.get(pair);
      if (event !== undefined) return event === 0 ? undefined : event;
    }
    return undefined;
  }

  /** Every entry of the state. @param wanted - by type and state key; all if left out */
  entries(wanted?: (type: Nid, key: Nid) => boolean): EventNid[] {
    const found = new Map<Pair, EventNid>();
    for (const { delta } of this.links) {
      for (const [pair, event] of delta) if (!found.has(pair)) found.set(pair, event);
    }
    const events: EventNid[] = [];
    for (const [pair, event] of found) {
      if (event === 0) continue;
      if (wanted === undefined || wanted(Math.floor(pair / PAIR), pair % PAIR)) events.push(event);
    }
    return events;
  }

  /** The types and state keys that the state has, with their events. */
  *pairs(): Generator<StateChange> {
    const seen = new Set<Pair>();
    for (const { delta } of this.links) {
      for (const [pair, event] of delta) {
        if (seen.has(pair)) continue;
        seen.add(pair);
        if (event !== 0) yield [Math.floor(pair / PAIR), pair % PAIR, event];
      }
    }
  }

  /** The types and state keys in which the two states differ. Costs what lies between the two. */
  *differences(other: SnapshotChain): Generator<[type: Nid, key: Nid]> {
    const shared = new Set(this.links.map((link) => link.nid));
    const meeting = other.links.find(({ nid }) => shared.has(nid))?.nid;
    const seen = new Set<Pair>();
    for (const { links } of [this, other]) {
      for (const { nid, delta } of links) {
        if (nid === meeting) break;
        for (const pair of delta.keys()) seen.add(pair);
      }
    }
    for (const pair of seen) {
      if (this.#entryByPair(pair) !== other.#entryByPair(pair)) yield [Math.floor(pair / PAIR), pair % PAIR];
    }
  }

  /** Events of this state that `before` has not. Costs what lies between the two, not the size of the state. */
  changesSince(before: SnapshotChain): EventNid[] {
    const shared = new Set(before.links.map((link) => link.nid));
    const changed = new Map<Pair, EventNid>();
    let meeting: SnapshotNid = 0;
    for (const { nid, delta } of this.links) {
      if (shared.has(nid)) {
        meeting = nid;
        break;
      }
      for (const [pair, event] of delta) if (!changed.has(pair)) changed.set(pair, event);
    }
    // What the other side has done since the two parted must be undone, where this side has not done it as well.
    for (const { nid, delta } of before.links) {
      if (nid === meeting) break;
      for (const pair of delta.keys()) {
        if (!changed.has(pair)) changed.set(pair, this.#entryByPair(pair) ?? 0);
      }
    }
    const events: EventNid[] = [];
    for (const [pair, event] of changed) {
      if (event !== 0 && before.#entryByPair(pair) !== event) events.push(event);
    }
    return events;
  }

  #entryByPair(pair: Pair): EventNid | undefined {
    return this.entry(Math.floor(pair / PAIR), pair % PAIR);
  }
}

function toRow({ base, index, delta }: Snapshot): SnapshotRow {
  const triples = new Uint32Array(delta.size * 3);
  let at = 0;
  for (const [pair, event] of delta) {
    triples[at++] = Math.floor(pair / PAIR);
    triples[at++] = pair % PAIR;
    triples[at++] = event;
  }
  return [base, index, triples];
}

function fromRow(nid: SnapshotNid, [base, index, triples]: SnapshotRow): Snapshot {
  const delta = new Map<Pair, EventNid>();
  for (let at = 0; at < triples.length; at += 3) {
    delta.set(pairOf(triples[at]!, triples[at + 1]!), triples[at + 2]!);
  }
  return { nid, base, index, delta };
}
