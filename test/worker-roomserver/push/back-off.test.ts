import { expect, test } from "vitest";
import { backOffMs } from "../../../src/worker-roomserver/push/pushers/back-off.ts";

test.each<[failures: number, random: number, want: number]>([
  [1, 0, 1_000],
  [2, 0, 2_000],
  [3, 0.5, 3_000],
  [12, 0, 2_048_000],
  [13, 0, 3_600_000],
  [1_000, 0, 3_600_000],
  [1_000, 0.999_999_999, 1_800_000],
])("after %s failures, and with the number %s, it is %s ms", (failures, random, want) => {
  expect(backOffMs(failures, random)).toBe(want);
});
