import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ToDeviceKey } from "../../../src/worker-roomserver/storage/schema.ts";
import { excess } from "../../../src/worker-roomserver/to-device/bounds.ts";

const message = fc.record({
  sender: fc.constantFrom("a", "b", "c", "d"),
  weight: fc.integer({ min: 1, max: 50 }),
  isKeyRequest: fc.constantFrom<0 | 1>(0, 1),
});
const queue = fc
  .array(message, { maxLength: 60 })
  .map((messages) =>
    messages.map(
      ({ sender, weight, isKeyRequest }, i): ToDeviceKey => [
        "@u:h",
        "D",
        i + 1,
        sender,
        weight,
        isKeyRequest,
      ],
    ),
  );

const weightOf = (keys: readonly ToDeviceKey[]) => keys.reduce((sum, key) => sum + key[4], 0);
const of = (sender: string, count: number, start: number, isKeyRequest: 0 | 1 = 0, weight = 10) =>
  Array.from(
    { length: count },
    (_, i): ToDeviceKey => ["@u:h", "D", start + i, sender, weight, isKeyRequest],
  );

const BOUND = 500;

describe("a queue over its bound", () => {
  test("comes to nine tenths of it, and one within it stays whole", () => {
    fc.assert(
      fc.property(queue, (keys) => {
        const gone = excess(keys, BOUND);
        if (weightOf(keys) <= BOUND) {
          expect(gone).toEqual([]);
          return;
        }
        expect(new Set(gone).size).toBe(gone.length);
        expect(weightOf(keys) - weightOf(gone)).toBeLessThanOrEqual(BOUND * 0.9);
      }),
    );
  });

  test("loses no message while it has a request for a key, and of each the oldest first", () => {
    fc.assert(
      fc.property(queue, (keys) => {
        const gone = new Set(excess(keys, BOUND));
        const left = keys.filter((key) => !gone.has(key));
        const lostMessage = [...gone].some((key) => key[5] === 0);
        if (lostMessage) expect(left.filter((key) => key[5] === 1)).toEqual([]);
        for (const kept of left) {
          const newerGone = [...gone].filter((key) => key[2] > kept[2] && key[5] === kept[5]);
          // A newer one goes before an older one only where it is a message of another sender.
          for (const key of newerGone) expect([key[5], key[3] === kept[3]]).toEqual([0, false]);
        }
      }),
    );
  });

  test("is paid for by who floods it", () => {
    const friend = of("friend", 10, 1);
    const flood = of("flood", 100, 11);
    const late = of("friend", 5, 111);
    const gone = excess([...friend, ...flood, ...late], BOUND);
    // 450 of 1150 are left: 150 are the friend's.
    expect(gone).toEqual(flood.slice(0, 70));
  });

  test("is shared evenly by all who send more than their share", () => {
    const gone = excess([...of("a", 40, 1), ...of("b", 40, 41), ...of("c", 5, 81)], BOUND);
    expect(gone).toEqual([...of("a", 20, 1), ...of("b", 20, 41)]);
  });

  test("loses the oldest requests for keys, and no more than it has to", () => {
    const requests = of("a", 30, 1, 1);
    const keys = of("a", 30, 31);
    expect(excess([...requests, ...keys], BOUND)).toEqual(requests.slice(0, 15));
  });
});
