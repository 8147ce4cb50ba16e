import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid } from "../storage/schema.ts";

/** Relations of a room that are read for it at once, and ids that are kept of all rooms: some 100 bytes each. */
const MOST_ROWS = 5_000;
const KEPT_IDS = 100_000;

/** "many": more than are kept in memory. */
type Targets = Set<string> | "many";

/**
 * Which events of a room others relate to, in memory: nothing relates to most, and who shows a page of them need not
 * look for each. An id too many does no harm, and none is missing.
 */
export class RelatedTargets {
  readonly #storage: Storage;
  readonly #rooms = new Lru<Nid, Targets>(KEPT_IDS, (targets) => (targets === "many" ? 1 : targets.size + 1));
  readonly #loading = new Map<Nid, { targets: Set<string>; done: Promise<Targets> }>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Something relates to the event from now on, or soon. */
  add(room: Nid, eventId: string): void {
    this.#loading.get(room)?.targets.add(eventId);
    const known = this.#rooms.get(room);
    if (known === undefined || known === "many" || known.has(eventId)) return;
    known.add(eventId);
    this.#rooms.set(room, known.size > MOST_ROWS ? "many" : known); // it weighs more now
  }

  /** Those of the events that something may relate to. From memory after a room's first call, which costs one range. */
  async among<E extends { room: Nid; eventId: string }>(events: readonly E[]): Promise<E[]> {
    const rooms = [...new Set(events.map(({ room }) => room))];
    const targets = new Map(
      await Promise.all(rooms.map(async (room) => [room, await this.#of(room)] as const)),
    );
    return events.filter(({ room, eventId }) => {
      const known = targets.get(room)!;
      return known === "many" || known.has(eventId);
    });
  }

  async #of(room: Nid): Promise<Targets> {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    return (this.#loading.get(room) ?? this.#load(room)).done;
  }

  #load(room: Nid): { done: Promise<Targets> } {
    const targets = new Set<string>();
    // Registered before anything is waited for, so that what comes meanwhile is noted.
    const loading = { targets, done: this.#read(room, targets) };
    this.#loading.set(room, loading);
    const forget = () => this.#loading.delete(room);
    loading.done.then(forget, forget);
    return loading;
  }

  async #read(room: Nid, found: Set<string>): Promise<Targets> {
    // What is on its way to the disk was added when nobody listened.
    await this.#storage.settled();
    const range = IDBKeyRange.bound([room], [room, []]);
    const keys = await this.#storage.getAllKeys("relations", range, MOST_ROWS);
    for (const [, eventId] of keys) found.add(eventId);
    const targets = keys.length === MOST_ROWS ? "many" : found;
    this.#rooms.set(room, targets);
    return targets;
  }
}
