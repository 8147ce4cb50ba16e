import { invalidParam } from "../../../matrix/errors.ts";
import { Lru } from "../../storage/lru.ts";
import type { RoomElsewhere } from "./room-elsewhere.ts";

/** A client that pages on asks again within seconds. */
const KEPT_MS = 10 * 60_000;
/** Rooms over all walks that are kept; the oldest walks give way. */
const KEPT_ROOMS = 200_000;

/** What is told of a room takes as much memory as so many ids of rooms. */
const TOLD_WEIGHT = 10;

/** A room that a walk has still to come to. */
export type Pending = RoomElsewhere & { depth: number };

/** How far a walk over a space's tree has come. Never changed: the same page may be asked for twice. */
export type Walk = {
  /** The last is next. */
  readonly pending: readonly Pending[];
  readonly visited: ReadonlySet<string>;
};

/** Walks that were left off where a page was full, by the token that was given out for that. They live in memory. */
export class HierarchyWalks {
  readonly #now: () => number;
  readonly #walks = new Lru<string, { purpose: string; until: number; walk: Walk }>(KEPT_ROOMS, ({ walk }) =>
    walk.pending.reduce((sum, { told }) => sum + (told ? TOLD_WEIGHT : 1), walk.visited.size + 1),
  );

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param purpose - who walks where and how: the token serves for nothing else */
  keep(purpose: string, walk: Walk): string {
    const token = crypto.randomUUID();
    this.#walks.set(token, { purpose, until: this.#now() + KEPT_MS, walk });
    return token;
  }

  /** @throws MatrixError M_INVALID_PARAM (400) for a token that is unknown, expired or for something else */
  find(token: string, purpose: string): Walk {
    const kept = this.#walks.get(token);
    if (kept === undefined || kept.until < this.#now()) {
      throw invalidParam("from is not a token that is good here, or not any more: begin anew.");
    }
    if (kept.purpose !== purpose) {
      throw invalidParam("from belongs to a request for another room, or other max_depth or suggested_only.");
    }
    return kept.walk;
  }
}
