import fc from "fast-check";
import { expect, test } from "vitest";
import { Lru } from "../../../src/worker-roomserver/storage/lru.ts";

test("what grows after it was put in counts with what it weighs once it is put in again", () => {
  const lru = new Lru<string, number[]>(10, (list) => list.length);
  const growing = [1];
  lru.set("growing", growing);
  lru.set("other", [1]);
  growing.push(...Array<number>(9).fill(1));
  lru.set("growing", growing);
  expect(lru.get("other")).toBeUndefined();
  expect(lru.get("growing")).toBe(growing);
});

test("property: values that change do not make it keep more than its limit", () => {
  const step = fc.record({ key: fc.nat({ max: 5 }), weight: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const lru = new Lru<number, { weight: number }>(10, ({ weight }) => weight);
      for (const { key, weight } of steps) {
        const value = lru.get(key) ?? { weight: 0 };
        value.weight = weight;
        lru.set(key, value);
        let kept = 0;
        for (let k = 0; k <= 5; k++) kept += lru.get(k)?.weight ?? 0;
        expect(kept).toBeLessThanOrEqual(10);
      }
    }),
  );
});
