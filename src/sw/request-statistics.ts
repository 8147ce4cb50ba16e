import * as v from "valibot";
import { type Endpoint, endpoint, type LimitClass } from "./endpoint.ts";

/** The first bucket ends at half a millisecond, each other one at √2 of the one before; the last takes all that is left. */
const buckets = 40;
const endOf = (bucket: number) => 2 ** (bucket / 2 - 1);

type Kept = { times: Uint32Array; statuses: Record<string, number> };

/** Counts requests and how long they took, in constant space. It lasts as long as its service worker does. */
export class RequestStatistics {
  readonly #since: number;
  readonly #kept = new Map<LimitClass, Kept>();

  /** @param now - milliseconds since 1970 */
  constructor(now: number) {
    this.#since = now;
  }

  readonly note = (limit: LimitClass, status: number, ms: number): void => {
    const kept = this.#kept.get(limit) ?? { times: new Uint32Array(buckets), statuses: {} };
    this.#kept.set(limit, kept);
    const bucket = Math.ceil(2 * (Math.log2(Math.max(ms, 0.5)) + 1));
    kept.times[Math.min(bucket, buckets - 1)]! += 1;
    kept.statuses[status] = (kept.statuses[status] ?? 0) + 1;
  };

  /** `p50_ms`: half of them took no longer than this; it may be too long by a factor of √2. */
  shown() {
    const classes = [...this.#kept].map(([name, { times, statuses }]) => ({
      class: name,
      statuses,
      p50_ms: quantile(times, 0.5),
      p99_ms: quantile(times, 0.99),
    }));
    return { since_ts: this.#since, classes };
  }
}

function quantile(times: Uint32Array, part: number): number {
  const wanted = times.reduce((sum, count) => sum + count, 0) * part;
  let seen = 0;
  let bucket = 0;
  while (bucket < buckets - 1) {
    seen += times[bucket]!;
    if (seen >= wanted) break;
    bucket += 1;
  }
  return endOf(bucket);
}

/** Answered by the service worker alone, of what has come to it. */
export const requestStatisticsEndpoint = (requests: RequestStatistics): Endpoint =>
  endpoint(
    {
      method: "GET",
      path: "/_hearth/v1/statistics/requests",
      auth: "admin",
      limit: "read",
      response: v.object({
        since_ts: v.number(),
        classes: v.array(
          v.object({
            class: v.string(),
            statuses: v.record(v.string(), v.number()),
            p50_ms: v.number(),
            p99_ms: v.number(),
          }),
        ),
      }),
    },
    async () => requests.shown(),
  );
