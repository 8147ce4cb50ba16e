import { invalidParam } from "../../matrix/errors.ts";
import type { EventNid, Nid } from "../storage/schema.ts";
import type { Hit } from "./scan.ts";

export type OrderBy = "rank" | "recent";
export type GroupKey = "room_id" | "sender";
export type Group = { key: GroupKey; value: Nid };

/** Where a page of results ends, and of which group it is, if of one. */
export type Cursor = { rank: number; ts: number; nid: EventNid; group: Group | undefined };

export type Compare = (
  one: Pick<Hit, "rank" | "ts" | "nid">,
  other: Pick<Hit, "rank" | "ts" | "nid">,
) => number;

/**
 * The order of results. What it goes by does not change while others write, and no two are equal: so a page goes on
 * where the one before it ended, with nothing left out and nothing shown twice.
 */
export const comparing: { [by in OrderBy]: Compare } = {
  rank: (one, other) => other.rank - one.rank || other.ts - one.ts || other.nid - one.nid,
  recent: (one, other) => other.ts - one.ts || other.nid - one.nid,
};

const GROUP_CODES = { room_id: "r", sender: "u" } as const;
const grammar = /^s(0\.\d{1,20})_(\d{1,16})_(\d{1,16})(?:_([ru])(\d{1,16}))?$/;

export function cursorToken({ rank, ts, nid, group }: Cursor): string {
  return `s${rank}_${ts}_${nid}${group === undefined ? "" : `_${GROUP_CODES[group.key]}${group.value}`}`;
}

/** @throws MatrixError M_INVALID_PARAM (400) if this is no token of ours */
export function parseCursor(token: string): Cursor {
  const [, rank, ts, nid, code, value] = grammar.exec(token) ?? [];
  if (nid === undefined) throw invalidParam('"next_batch" is not a token that a search has given out.');
  const key = code === "r" ? "room_id" : "sender";
  return {
    rank: Number(rank),
    ts: Number(ts),
    nid: Number(nid),
    group: code === undefined ? undefined : { key, value: Number(value) },
  };
}

/** Keeps the first few of many, in their order. */
export class First<T> {
  readonly #limit: number;
  readonly #compare: (one: T, other: T) => number;
  #kept: T[] = [];
  #worst: T | undefined;

  constructor(limit: number, compare: (one: T, other: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(one: T): void {
    if (this.#worst !== undefined && this.#compare(one, this.#worst) > 0) return;
    this.#kept.push(one);
    // Sorted when there are twice as many: each costs a few comparisons.
    if (this.#kept.length >= 2 * this.#limit) this.#cut();
  }

  /** In their order. */
  take(): T[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.#compare);
    this.#kept.length = Math.min(this.#kept.length, this.#limit);
    if (this.#kept.length === this.#limit) this.#worst = this.#kept.at(-1);
  }
}
