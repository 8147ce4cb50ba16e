import type { PositionedEntry } from "../log/entry.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import { concerns, type Interest } from "./interest.ts";

/** Entries that came between a look and the wait are checked up to this number; past it, looking again is cheaper. */
const CHECKED = 1_000;

type Waiter = { interest: Interest; wake: () => void };

/** Wakes those who wait for something new, and only those whom an entry of the log concerns. */
export class Notifier {
  readonly #storage: Storage;
  readonly #byRoom = new Map<Nid, Set<Waiter>>();
  readonly #byUser = new Map<Nid, Set<Waiter>>();
  #lastPurge: Position = 0;
  #waiting = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onEntries((entries) => {
      for (const entry of entries) this.#tell(entry);
    });
  }

  /** Where the log says that a room is gone, the last time since this leader began; 0 for never. */
  get lastPurge(): Position {
    return this.#lastPurge;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves once the log has an entry after `after` that concerns the interest, or when `end` resolves.
   * What was written before this was called counts too, so that nothing is missed between a look and the wait.
   */
  async wait(interest: Interest, after: Position, end: Promise<void>): Promise<void> {
    let wake!: () => void;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const waiter = { interest, wake };
    this.#add(waiter);
    this.#waiting += 1;
    try {
      if (!(await this.#hasNews(interest, after))) await Promise.race([woken, end]);
    } finally {
      this.#remove(waiter);
      this.#waiting -= 1;
    }
  }

  async #hasNews(interest: Interest, after: Position): Promise<boolean> {
    const missed = this.#storage.position - after;
    if (missed > CHECKED) return true;
    if (missed <= 0) return false;
    const entries = await this.#storage.entriesAfter(after, missed);
    return entries === undefined || entries.some((entry) => concerns(interest, entry));
  }

  #tell(entry: PositionedEntry): void {
    if (entry.topic === "purge") this.#lastPurge = entry.position;
    for (const waiters of [this.#byRoom.get(entry.room), this.#byUser.get(entry.user)]) {
      for (const waiter of waiters ?? []) if (concerns(waiter.interest, entry)) waiter.wake();
    }
  }

  #add(waiter: Waiter): void {
    for (const [map, nids] of this.#places(waiter)) {
      for (const nid of nids) {
        const waiters = map.get(nid);
        if (waiters === undefined) map.set(nid, new Set([waiter]));
        else waiters.add(waiter);
      }
    }
  }

  #remove(waiter: Waiter): void {
    for (const [map, nids] of this.#places(waiter)) {
      for (const nid of nids) {
        const waiters = map.get(nid);
        waiters?.delete(waiter);
        if (waiters?.size === 0) map.delete(nid);
      }
    }
  }

  #places({ interest }: Waiter): [Map<Nid, Set<Waiter>>, Iterable<Nid>][] {
    return [
      [this.#byRoom, interest.rooms],
      [this.#byUser, [interest.user, ...interest.sharing]],
    ];
  }
}
