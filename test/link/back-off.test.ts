import { expect, test } from "vitest";
import { backOff } from "../../src/link/back-off.ts";

test("it doubles from half a second to five minutes, and half of it is chance", () => {
  expect([1, 2, 3, 10, 11, 1000].map((failures) => backOff(failures, 1))).toEqual([
    500, 1000, 2000, 256_000, 300_000, 300_000,
  ]);
  expect([1, 2, 1000].map((failures) => backOff(failures, 0))).toEqual([250, 500, 150_000]);
});
