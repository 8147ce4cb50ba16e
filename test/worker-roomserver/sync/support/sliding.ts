import type { SlidingSyncQuery } from "../../../../src/worker-roomserver/sync/sliding/api.ts";
import { json } from "../../support/room.ts";
import type { SlidingAnswer } from "./sliding-client.ts";
import type { TestSync } from "./sync.ts";

export type SlidingQuery = Partial<SlidingSyncQuery> & { device?: string };

/** One request of sliding sync, that does not wait where it does not say so. */
export async function slide(
  t: TestSync,
  who: string,
  { device, ...query }: SlidingQuery,
  name: string = crypto.randomUUID(),
): Promise<SlidingAnswer> {
  const asked = { timeout: 0, setPresence: "offline" as const, ...query };
  return json(await t.sync.sliding(t.user(who, device), asked, name)) as unknown as SlidingAnswer;
}

/** A list of rooms with some of their events, and no state. */
export const list = (events: number, last?: number) => ({
  timeline_limit: events,
  required_state: [],
  ...(last !== undefined && { ranges: [[0, last]] as [number, number][] }),
});
