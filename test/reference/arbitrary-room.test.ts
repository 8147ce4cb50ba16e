import fc from "fast-check";
import { expect, test } from "vitest";
import { type GeneratedRoom, generatedRoom } from "./arbitrary-room.ts";
import { type Feature, featuresOfRoom } from "./features.ts";

/** In how many of 300 rooms each must show at least: about half of what there are. */
const wanted: Record<Feature, number> = {
  "several extremities": 120,
  "conflicting fork": 120,
  "conflicting power levels": 100,
  "merged ban": 50,
  "rejected by the auth events": 100,
  "rejected by the state before": 20,
  "built on a rejected event": 50,
  "soft-failed": 100,
  "soft-failed in one order only": 80,
  "soft-failed, and in the current state": 25,
  "restricted join": 20,
  redacted: 110,
  "redaction before its target": 30,
};

test("what is hard to get right comes up", { timeout: 300_000 }, () => {
  const counts = new Map<Feature, number>();
  const rooms = fc.sample(generatedRoom, { numRuns: 300, seed: 1 });
  for (const room of rooms) {
    for (const feature of featuresOfRoom(room)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  }
  for (const [feature, atLeast] of Object.entries(wanted) as [Feature, number][]) {
    expect(counts.get(feature) ?? 0, feature).toBeGreaterThanOrEqual(atLeast);
  }
  expect(new Set(rooms.map(({ version }) => version)).size).toBeGreaterThan(8);
});

test("an event comes after all that it refers to, in every order", () => {
  fc.assert(
    fc.property(generatedRoom, ({ events, arrivals }) => {
      for (const order of [events, ...arrivals]) {
        expect(new Set(order)).toEqual(new Set(events));
        const before = new Set<string>();
        for (const { eventId, prev, auth } of order) {
          expect([...prev, ...auth].filter((id) => !before.has(id))).toEqual([]);
          before.add(eventId);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("a failing room shrinks to what matters", { timeout: 300_000 }, () => {
  const hasMergedBan = (room: GeneratedRoom) => featuresOfRoom(room).has("merged ban");
  const { counterexample } = fc.check(
    fc.property(generatedRoom, (room) => !hasMergedBan(room)),
    { seed: 1, numRuns: 100 },
  );
  const [room] = counterexample!;
  // The set-up takes at least six events, then there is a ban, something beside it, and what merges them.
  expect(room.events.length).toBeLessThanOrEqual(11);
});
