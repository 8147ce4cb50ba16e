import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GuessLimits, guessBudgets } from "../../../src/worker-roomserver/users/guess-limits.ts";

const { each, all } = guessBudgets;
const limited = expect.objectContaining({ errcode: "M_LIMIT_EXCEEDED", status: 429 });

function refused(limits: GuessLimits, target: string): boolean {
  try {
    limits.take(target);
    return false;
  } catch (error) {
    expect(error).toEqual(limited);
    return true;
  }
}

describe("the limit of guesses", () => {
  test("no stretch of time sees more than a burst and what was regained in it", () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 3 * each.everyMs }), right: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let now = 1_000_000;
        const limits = new GuessLimits(() => now);
        const wrongAt: number[] = [];
        for (const { wait, right } of steps) {
          now += wait;
          try {
            const giveBack = limits.take("alice");
            if (right) giveBack();
            else wrongAt.push(now);
          } catch (error) {
            expect(error).toEqual(limited);
          }
        }
        wrongAt.forEach((from, i) => {
          wrongAt.slice(i).forEach((to, more) => {
            expect(more + 1).toBeLessThanOrEqual(each.burst + Math.floor((to - from) / each.everyMs));
          });
        });
      }),
    );
  });

  test("says when to come again, to the millisecond", () => {
    let now = 0;
    const limits = new GuessLimits(() => now);
    for (let i = 0; i < each.burst; i++) limits.take("alice");
    now += 1;
    expect(() => limits.take("alice")).toThrow(
      expect.objectContaining({ extra: { retry_after_ms: each.everyMs - 1 } }),
    );
    now += each.everyMs - 2;
    expect(refused(limits, "alice")).toBe(true);
    now += 1;
    expect(refused(limits, "alice")).toBe(false);
  });

  test("holds for all accounts together as well", () => {
    let now = 0;
    const limits = new GuessLimits(() => now);
    for (let i = 0; i < all.burst; i++) expect(refused(limits, `user${i}`)).toBe(false);
    expect(refused(limits, "one more")).toBe(true);
    now += all.everyMs;
    expect(refused(limits, "one more")).toBe(false);
  });

  test("a clock that is set back locks nobody out for longer", () => {
    let now = 100 * each.everyMs;
    const limits = new GuessLimits(() => now);
    for (let i = 0; i < each.burst; i++) limits.take("alice");
    now = 0;
    expect(refused(limits, "alice")).toBe(true);
    now = each.everyMs - 1;
    expect(refused(limits, "alice")).toBe(true);
    expect(refused(limits, "bob")).toBe(false);
    now = each.everyMs;
    expect(refused(limits, "alice")).toBe(false);
  });
});

test("there are none where the owner wants none, and there are again when that changes", () => {
  let isOn = false;
  const limits = new GuessLimits(
    () => 0,
    () => isOn,
  );
  for (let n = 0; n < 1_000; n++) limits.take("alice");
  isOn = true;
  for (let n = 0; n < guessBudgets.each.burst; n++) limits.take("alice");
  expect(() => limits.take("alice")).toThrow(expect.objectContaining({ errcode: "M_LIMIT_EXCEEDED" }));
});
