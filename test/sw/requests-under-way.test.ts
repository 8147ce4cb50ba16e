import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RequestsUnderWay } from "../../src/sw/requests-under-way.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a request that takes long is told of, one that ends in time is not", async () => {
  const onLong = vi.fn();
  const underWay = new RequestsUnderWay(onLong);
  await underWay.during(Promise.resolve());
  let end = (): void => undefined;
  const long = underWay.during(new Promise<void>((resolve) => (end = resolve)));
  vi.advanceTimersByTime(4_999);
  expect(onLong).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLong).toHaveBeenCalledTimes(1);
  end();
  await long;
  vi.advanceTimersByTime(60_000);
  expect(onLong).toHaveBeenCalledTimes(1);
});

test("counts what is under way, however it ends", async () => {
  const underWay = new RequestsUnderWay(() => undefined);
  expect(underWay.any).toBe(false);
  const failing = underWay.during(Promise.reject(new Error("no")));
  expect(underWay.any).toBe(true);
  await expect(failing).rejects.toThrow("no");
  expect(underWay.any).toBe(false);
});
