import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import type { StateSection } from "../../../src/worker-roomserver/sync/api.ts";
import { SyncClient } from "./support/client.ts";
import { attempt, type Step, stage, step } from "./support/history.ts";
import { limit, testSync } from "./support/sync.ts";

/*
 * For any history and any split of it into incremental syncs, a client that applies the answers ends with the
 * timeline and the state that one first sync gives, with no event twice and none lost.
 */

type Move = Step | { do: "sync" };
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 3, arbitrary: fc.constant({ do: "sync" as const }) },
);

describe.each<[stateSection: StateSection]>([["state"], ["state_after"]])("with %s", (stateSection) => {
  test.each([1, 3, 50])("and timelines of %i events", async (number) => {
    const t = await testSync();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 30 }), async (steps) => {
        const on = await stage(t, run++);
        const alice = on.name("alice");
        const client = new SyncClient();
        const sync = async () => {
          const query = { since: client.since, filter: limit(number), stateSection };
          client.apply(await t.poll(alice, query));
        };
        await sync();
        for (const taken of steps) {
          if (taken.do === "sync") await sync();
          else await attempt(on, taken);
        }
        await sync();
        const fresh = new SyncClient();
        fresh.apply(await t.poll(alice, { filter: limit(100), stateSection }));
        const truth = new SyncClient();
        truth.apply(await t.poll(alice, { filter: limit(100), stateSection: "state_after" }));
        compare(client, fresh, truth);
      }),
      // Each run is a history with a database behind it.
      { numRuns: Math.ceil(inject("propertyRuns") / 4) },
    );
  });
});

function compare(client: SyncClient, fresh: SyncClient, truth: SyncClient): void {
  // Rooms that were left are known to the one and not to the other.
  const current = [...client.rooms].filter(([, { membership }]) => membership !== "leave");
  expect(current.map(([roomId]) => roomId).sort()).toEqual([...fresh.rooms.keys()].sort());
  for (const [roomId, { membership, timeline, state }] of current) {
    const wanted = fresh.rooms.get(roomId)!;
    expect(membership).toBe(wanted.membership);
    if (membership !== "join") continue;
    // A timeline that was begun anew after a gap is the end of the whole one, without a hole.
    expect(timeline.length).toBeGreaterThan(0);
    expect(timeline).toEqual(wanted.timeline.slice(-timeline.length));
    expect(new Set(timeline).size).toBe(timeline.length);
    const known = Object.fromEntries(truth.rooms.get(roomId)!.state);
    expect(agreed(state, timeline, known)).toEqual(known);
    expect(agreed(wanted.state, wanted.timeline, known)).toEqual(known);
  }
}

/**
 * A client's state, but for what it cannot know: who takes the state from the timeline, and may not see the event
 * that stands now, is left with an older one that it may see. That is what `state_after` was made for.
 */
function agreed(
  state: ReadonlyMap<string, string>,
  timeline: readonly string[],
  truth: Record<string, string>,
): Record<string, string> {
  const isMisled = (key: string, eventId: string) =>
    timeline.includes(eventId) && truth[key] !== undefined && !timeline.includes(truth[key]);
  return Object.fromEntries(
    [...state].map(([key, eventId]) => [key, isMisled(key, eventId) ? truth[key]! : eventId]),
  );
}
