import { beforeEach, describe, expect, test } from "vitest";
import { KeepAlive, type KeepAliveOptions } from "../../../src/link/session/keep-alive.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

let clock: ManualClock;
let told: string[];
beforeEach(() => {
  clock = manualClock();
  told = [];
});

/** Says when it asks and when it gives up, in milliseconds from now on. */
function watching(options: KeepAliveOptions): KeepAlive {
  const began = clock.now();
  const note = (what: string) => () => void told.push(`${what} at ${clock.now() - began}`);
  return new KeepAlive(clock, options, note("asked"), note("dead"));
}

describe("a peer of whom nothing comes", () => {
  const options = { silence: 20_000, unanswered: 4000, patience: 10_000 };

  test("is asked after the silence where nothing was said to it", () => {
    watching(options);
    clock.advance(60_000);
    expect(told).toEqual(["asked at 20000", "dead at 30000"]);
  });

  test("is asked soon after something was sent, however much is sent on", () => {
    const keepAlive = watching(options);
    clock.advance(10_000);
    for (let n = 0; n < 50; n++) {
      keepAlive.sent();
      clock.advance(1000);
    }
    expect(told).toEqual(["asked at 14000", "dead at 24000"]);
  });

  test("has the whole silence where no other time is given", () => {
    const keepAlive = watching({ silence: 20_000, patience: 10_000 });
    keepAlive.sent();
    clock.advance(60_000);
    expect(told).toEqual(["asked at 20000", "dead at 30000"]);
  });
});

describe("a peer that answers", () => {
  const options = { silence: 20_000, unanswered: 4000, patience: 10_000 };

  test("in time is not asked before the silence", () => {
    const keepAlive = watching(options);
    keepAlive.sent();
    clock.advance(3999);
    keepAlive.heard();
    clock.advance(19_999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(["asked at 23999"]);
  });

  test("when it is asked is watched from then on as before", () => {
    const keepAlive = watching(options);
    keepAlive.sent();
    clock.advance(4000);
    clock.advance(9999);
    keepAlive.heard();
    clock.advance(1000);
    keepAlive.sent();
    clock.advance(3999);
    expect(told).toEqual(["asked at 4000"]);
    clock.advance(10_001);
    expect(told).toEqual(["asked at 4000", "asked at 18999", "dead at 28999"]);
  });

  test("is no more watched once the session is over", () => {
    const keepAlive = watching(options);
    keepAlive.sent();
    keepAlive.stop();
    clock.advance(60_000);
    expect(told).toEqual([]);
  });
});
