import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepAwake } from "../../../src/ui/boot/keep-awake.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("pings every ten seconds from busy to idle, however often either is said", () => {
  const ping = vi.fn();
  const awake = keepAwake(ping);
  awake.busy();
  awake.busy();
  vi.advanceTimersByTime(30_000);
  expect(ping).toHaveBeenCalledTimes(3);
  awake.idle();
  awake.idle();
  vi.advanceTimersByTime(60_000);
  expect(ping).toHaveBeenCalledTimes(3);
  awake.busy();
  vi.advanceTimersByTime(10_000);
  expect(ping).toHaveBeenCalledTimes(4);
});
