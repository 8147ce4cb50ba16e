import type { Position } from "../storage/schema.ts";
import type { PositionedEntry } from "./entry.ts";

/** The newest entries of the log, in memory, so that those who follow closely need not ask the disk. */
export class LogTail {
  readonly #limit: number;
  #entries: PositionedEntry[] = [];
  /** The tail is complete after this position. */
  #since: Position;

  constructor(since: Position, limit: number) {
    this.#since = since;
    this.#limit = limit;
  }

  push(entries: readonly PositionedEntry[]): void {
    this.#entries.push(...entries);
    // Trimmed in halves, so that the cost is spread.
    if (this.#entries.length > 2 * this.#limit) {
      this.#entries = this.#entries.slice(-this.#limit);
      this.#since = this.#entries[0]!.position - 1;
    }
  }

  /** Entries after `after`, oldest first; undefined if the tail does not reach back that far. */
  after(after: Position, limit: number): PositionedEntry[] | undefined {
    if (after < this.#since) return undefined;
    const first = this.#entries[0];
    if (first === undefined) return [];
    // Positions have no gaps, so the place follows from the number.
    const start = Math.max(0, after + 1 - first.position);
    return this.#entries.slice(start, start + limit);
  }
}
