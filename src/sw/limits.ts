import { MatrixError } from "../matrix/errors.ts";
import type { LimitClass } from "./endpoint.ts";

/**
 * Where a request comes from. `own`: a page that this service worker controls, which is the owner's; `page` is the
 * browser's id of it, absent for what no page asks for, such as an address that is typed in.
 * `relay`: somebody elsewhere; `address` is what the relay knows them by, `baseUrl` where they reach this homeserver;
 * `unlimited` is there where the owner has set no limits.
 */
export type Caller =
  | { source: "own"; page?: string | undefined }
  | {
      source: "relay";
      address: string;
      baseUrl: string;
      unlimited?: true;
    };

export interface Limiter {
  /**
   * Draws one call on the budget of `user`, or of the caller's address where there is no user yet.
   * @throws {MatrixError} M_LIMIT_EXCEEDED (429) with `retry_after_ms` when the budget is used up
   * @see https://spec.matrix.org/v1.19/client-server-api/#rate-limiting
   */
  take(limit: LimitClass, caller: Caller, user: string | undefined): void;
}

/** Lets everything through. */
export const unlimited: Limiter = { take: () => undefined };

/** A bucket holds `burst` calls and gains `perSecond`. */
export type Budget = { burst: number; perSecond: number };

/** Generous to people, dear to guessing: a login costs an Argon2 hash here. */
export const budgets: Record<Exclude<LimitClass, "none">, Budget> = {
  read: { burst: 200, perSecond: 50 },
  write: { burst: 50, perSecond: 10 },
  message: { burst: 30, perSecond: 5 },
  login: { burst: 5, perSecond: 0.1 },
  register: { burst: 3, perSecond: 0.02 },
};

type Bucket = { tokens: number; at: number };

/** Past this many buckets, those that are full again are forgotten: they say nothing. */
const sweepAt = 10_000;

/** Token buckets for those who come through a relay. The owner's own pages are never limited. */
export class TokenBuckets implements Limiter {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(now: () => number) {
    this.#now = now;
  }

  take(limit: LimitClass, caller: Caller, user: string | undefined): void {
    if (limit === "none" || caller.source === "own" || caller.unlimited) return;
    const budget = budgets[limit];
    const now = this.#now();
    const key = `${limit} ${user ?? caller.address}`;
    const tokens = this.#refilled(this.#buckets.get(key), budget, now);
    if (tokens < 1) {
      const wait = Math.ceil(((1 - tokens) / budget.perSecond) * 1000);
      throw new MatrixError("M_LIMIT_EXCEEDED", 429, "Too many requests: please wait a little.", {
        retry_after_ms: wait,
      });
    }
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    if (this.#buckets.size > sweepAt) this.#sweep(now);
  }

  #refilled(bucket: Bucket | undefined, budget: Budget, now: number): number {
    if (bucket === undefined) return budget.burst;
    // A clock that was set back must not take anything away.
    const gained = (Math.max(0, now - bucket.at) / 1000) * budget.perSecond;
    return Math.min(budget.burst, bucket.tokens + gained);
  }

  #sweep(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      const budget = budgets[key.slice(0, key.indexOf(" ")) as keyof typeof budgets];
      if (this.#refilled(bucket, budget, now) >= budget.burst) this.#buckets.delete(key);
    }
  }
}
