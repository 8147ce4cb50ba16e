import type { Used } from "../../mailbox/room.ts";
import type { Operation } from "./record.ts";

/** An entry that waits: what is to be known without reading it. */
export type Kept = {
  id: number;
  /** The number in the stream of the record that it was put with. */
  at: number;
  receivedAt: number;
  size: number;
  verified: boolean;
  /** Where the body is, when it is too large for the record. */
  body?: string;
};

type Remembered = { receivedAt: number; id: number };

/**
 * Transactions that are remembered for one node. The oldest are forgotten first. The same at all relays, as each works
 * out for itself what the records come to.
 */
const REMEMBERED = 200_000;
/** At least so many records are between two snapshots, and at most. */
const SNAPSHOT_AFTER = { least: 64, most: 1000 };

/** What the records of one mailbox come to. Whoever reads the same records comes to the same. */
export class MailboxState {
  /** Number of the last record that is counted in; 0 before the first one. */
  at = 0;
  /** Number of the last record that was read, whether it counts or not. */
  tip = 0;
  /** Number of the record of the snapshot that this goes back to; 0 without one. */
  base = 0;
  /** Records since then. */
  since = 0;
  lastId = 0;
  readonly used: Used = { entries: 0, bytes: 0, unverifiedEntries: 0, unverifiedBytes: 0 };
  readonly entries = new Map<number, Kept>();
  readonly remembered = new Map<string, Remembered>();

  /** What it takes of memory, roughly, in entries. */
  get weight(): number {
    return 16 + this.entries.size + this.remembered.size;
  }

  get wantsSnapshot(): boolean {
    const { least, most } = SNAPSHOT_AFTER;
    return this.since >= Math.max(least, Math.min(most, this.entries.size + this.remembered.size));
  }

  /** @returns the entries that it drops */
  apply(operation: Operation, at: number): Kept[] {
    switch (operation.type) {
      case "put": {
        const { id, fingerprint, receivedAt, size, verified, body } = operation;
        this.lastId = id;
        this.#keep({ id, at, receivedAt, size, verified, ...(body && { body: body.key }) });
        this.remembered.set(fingerprint, { receivedAt, id });
        if (this.remembered.size > REMEMBERED) {
          const [oldest] = this.remembered.keys();
          if (oldest !== undefined) this.remembered.delete(oldest);
        }
        return [];
      }
      case "acknowledge":
        return this.#drop(this.upTo(operation.upTo));
      case "expire": {
        for (const [fingerprint, { receivedAt }] of this.remembered) {
          if (receivedAt < operation.before) this.remembered.delete(fingerprint);
        }
        return this.#drop(this.before(operation.before));
      }
      case "lost":
        return this.#drop([...this.entries.values()].filter(({ id }) => id === operation.id));
    }
  }

  upTo(id: number): Kept[] {
    const found: Kept[] = [];
    for (const kept of this.entries.values()) {
      if (kept.id > id) break;
      found.push(kept);
    }
    return found;
  }

  before(time: number): Kept[] {
    return [...this.entries.values()].filter(({ receivedAt }) => receivedAt < time);
  }

  remembersBefore(time: number): boolean {
    for (const { receivedAt } of this.remembered.values()) if (receivedAt < time) return true;
    return false;
  }

  /** The oldest entry after this one, and whether there are more. */
  after(id: number): { kept: Kept; more: boolean } | undefined {
    let kept: Kept | undefined;
    for (const one of this.entries.values()) {
      if (one.id <= id) continue;
      if (kept !== undefined) return { kept, more: true };
      kept = one;
    }
    return kept && { kept, more: false };
  }

  /** As JSON. */
  snapshot(): string {
    return JSON.stringify([
      this.lastId,
      [...this.entries.values()],
      [...this.remembered].map(([fingerprint, { receivedAt, id }]) => [fingerprint, receivedAt, id]),
    ]);
  }

  static from(snapshot: string): MailboxState {
    const [lastId, entries, remembered] = JSON.parse(snapshot) as [
      number,
      Kept[],
      [string, number, number][],
    ];
    const state = new MailboxState();
    state.lastId = lastId;
    for (const kept of entries) state.#keep(kept);
    for (const [fingerprint, receivedAt, id] of remembered)
      state.remembered.set(fingerprint, { receivedAt, id });
    return state;
  }

  #keep(kept: Kept): void {
    this.entries.set(kept.id, kept);
    this.#count(kept, 1);
  }

  #drop(dropped: Kept[]): Kept[] {
    for (const kept of dropped) {
      this.entries.delete(kept.id);
      this.#count(kept, -1);
    }
    return dropped;
  }

  #count({ size, verified }: Kept, by: 1 | -1): void {
    this.used.entries += by;
    this.used.bytes += by * size;
    if (verified) return;
    this.used.unverifiedEntries += by;
    this.used.unverifiedBytes += by * size;
  }
}
