import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, Nid } from "../storage/schema.ts";
import { byBlock, type Changes, changedBlock } from "./block-layout.ts";

/** Numbers kept in memory: 32 MB, some 400,000 messages. */
const KEPT_NUMBERS = 8_000_000;
/** Blocks whose numbers are kept: those of some million messages. */
const KEPT_FIRSTS = 200_000;

const EMPTY = new Uint32Array();
const wholeRoom = (room: Nid) => IDBKeyRange.bound([room], [room, []]);

/**
 * The blocks of each room, in memory ahead of the disk. One writer changes them, one change after the other; readers see
 * a room as it was after one of them.
 */
export class BlockStore {
  readonly #storage: Storage;
  #blocks = new Lru<string, Uint32Array>(KEPT_NUMBERS, (words) => words.length + 10);
  /** The numbers of each room's blocks, descending. An array is never changed: another one is another layout. */
  #firsts = new Lru<Nid, readonly EventNid[]>(KEPT_FIRSTS, (firsts) => firsts.length + 1);
  /** What is not in the store yet; undefined for a block that is to be removed. */
  #dirty = new Map<Nid, Map<EventNid, Uint32Array | undefined>>();
  /** Counts what has come into the store, so that nothing is taken from it that has just become old. */
  #settled = 0;
  #layoutChanges = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Drops all memory. Who is reading gets a room as it was. */
  reset(): void {
    this.#blocks.clear();
    this.#firsts.clear();
    this.#dirty = new Map();
    this.#settled += 1;
    this.#layoutChanges += 1;
  }

  /** The numbers of a room's blocks, the newest documents first. Costs a range of keys, once. */
  async layout(room: Nid): Promise<readonly EventNid[]> {
    return this.#firsts.get(room) ?? (await this.#current(() => this.#readFirsts(room)));
  }

  /** Counts changes of layouts: while it stays, blocks are those of the layouts that were read before. */
  get layoutChanges(): number {
    return this.#layoutChanges;
  }

  /** A block that is in memory. */
  known(room: Nid, first: EventNid): Uint32Array | undefined {
    const dirty = this.#dirty.get(room);
    if (dirty?.has(first)) return dirty.get(first) ?? EMPTY;
    return this.#blocks.get(keyOf(room, first));
  }

  /** Blocks that follow one another in a layout. One range, unless all are in memory. */
  async read(room: Nid, firsts: readonly EventNid[]): Promise<Uint32Array[]> {
    const known = () => firsts.map((first) => this.known(room, first));
    let blocks = known();
    if (blocks.some((words) => words === undefined)) {
      const missing = firsts.filter((_, i) => blocks[i] === undefined);
      const stored = await this.#current(() => this.#readBlocks(room, missing));
      blocks = known().map((words, i) => words ?? stored.get(firsts[i]!));
    }
    return blocks.map((words) => words ?? EMPTY);
  }

  /** Changes documents of a room: in memory at once, on the disk with a lazy unit. For the one writer. */
  async change(room: Nid, changes: Changes): Promise<void> {
    const layout = await this.layout(room);
    const changed = new Map<EventNid, Uint32Array | undefined>();
    for (const [first, ofBlock] of byBlock(layout, changes)) {
      const [words = EMPTY] = layout.includes(first) ? await this.read(room, [first]) : [];
      const blocks = changedBlock({ first, words }, ofBlock);
      if (blocks === undefined) continue;
      if (words.length > 0 && blocks.length === 0) changed.set(first, undefined);
      for (const block of blocks) changed.set(block.first, block.words);
    }
    this.#put(room, layout, changed);
  }

  /** Removes all of a room. For the one writer. */
  async remove(room: Nid): Promise<void> {
    const layout = await this.layout(room);
    this.#put(room, layout, new Map(layout.map((first) => [first, undefined])));
  }

  #put(
    room: Nid,
    layout: readonly EventNid[],
    changed: ReadonlyMap<EventNid, Uint32Array | undefined>,
  ): void {
    if (changed.size === 0) return;
    const dirty = this.#dirty.get(room) ?? new Map<EventNid, Uint32Array | undefined>();
    this.#dirty.set(room, dirty);
    const firsts = new Set(layout);
    for (const [first, words] of changed) {
      dirty.set(first, words);
      if (words === undefined) {
        firsts.delete(first);
        this.#blocks.delete(keyOf(room, first));
      } else {
        firsts.add(first);
        this.#blocks.set(keyOf(room, first), words);
      }
    }
    const isSame = firsts.size === layout.length && layout.every((first) => firsts.has(first));
    if (!isSame) this.#layoutChanges += 1;
    this.#firsts.set(room, isSame ? layout : [...firsts].sort((a, b) => b - a));
    const fill = (write: Write) => {
      for (const [first, words] of changed) {
        if (words === undefined) write.delete("searchBlocks", [room, -first]);
        else write.put("searchBlocks", words, [room, -first]);
      }
    };
    this.#storage.commit(fill, { lazy: true }).then(
      () => this.#written(room, changed),
      // The storage has rolled back or is gone, and whoever follows the log begins anew.
      () => undefined,
    );
  }

  #written(room: Nid, changed: ReadonlyMap<EventNid, Uint32Array | undefined>): void {
    this.#settled += 1;
    const dirty = this.#dirty.get(room);
    if (dirty === undefined) return;
    for (const [first, words] of changed) {
      if (dirty.has(first) && dirty.get(first) === words) dirty.delete(first);
    }
    if (dirty.size === 0) this.#dirty.delete(room);
  }

  async #readFirsts(room: Nid): Promise<() => readonly EventNid[]> {
    const keys = await this.#storage.getAllKeys("searchBlocks", wholeRoom(room));
    return () => {
      const known = this.#firsts.get(room);
      if (known !== undefined) return known;
      const firsts = new Set(keys.map(([, negated]) => -negated));
      for (const [first, words] of this.#dirty.get(room) ?? []) {
        if (words === undefined) firsts.delete(first);
        else firsts.add(first);
      }
      const layout = [...firsts].sort((a, b) => b - a);
      this.#firsts.set(room, layout);
      return layout;
    };
  }

  async #readBlocks(
    room: Nid,
    firsts: readonly EventNid[],
  ): Promise<() => ReadonlyMap<EventNid, Uint32Array>> {
    // Descending numbers are ascending keys. What is in between is in memory, mostly because it is next to these.
    const range = IDBKeyRange.bound([room, -firsts[0]!], [room, -firsts.at(-1)!]);
    const [keys, rows] = await Promise.all([
      this.#storage.getAllKeys("searchBlocks", range),
      this.#storage.getAll("searchBlocks", range),
    ]);
    return () => {
      const stored = new Map(keys.map(([, negated], i) => [-negated, rows[i]!]));
      for (const [first, words] of stored) {
        if (this.known(room, first) === undefined) this.#blocks.set(keyOf(room, first), words);
      }
      return stored;
    };
  }

  /** Reads from the store until nothing came into it meanwhile: then what is there and in memory is all there is. */
  async #current<T>(read: () => Promise<() => T>): Promise<T> {
    for (;;) {
      const before = this.#settled;
      const take = await read();
      if (before === this.#settled) return take();
    }
  }
}

const keyOf = (room: Nid, first: EventNid) => `${room} ${first}`;
