import { expect, test } from "vitest";
import type { ChannelKind } from "../../src/link/api.ts";
import type { Opened } from "../../src/link/open-link.ts";
import { attemptLimit, headStart, type Raced, race } from "../../src/link/race.ts";
import { type ManualClock, manualClock } from "./support/manual-clock.ts";
import { turn } from "./support/memory-channels.ts";
import { sessionPair } from "./support/sessions.ts";

const kinds: ChannelKind[] = ["webtransport", "websocket", "fetch"];

/** A race whose attempts do what the test says. */
function staged(clock: ManualClock, signal = new AbortController().signal) {
  const attempts = new Map<
    ChannelKind,
    { settle(opened: Opened): void; fail(why: string): void; signal: AbortSignal; mayProve(): Promise<void> }
  >();
  const raced = race(
    kinds,
    (kind, own, mayProve) =>
      new Promise((resolve, reject) => {
        attempts.set(kind, {
          settle: resolve,
          fail: (why) => reject(new Error(why)),
          signal: own,
          mayProve,
        });
      }),
    clock,
    signal,
  );
  return { raced, attempts, started: () => [...attempts.keys()] };
}

const open = () => sessionPair().node;

test("the best kind has a head start, and a kind that hangs is not waited for", async () => {
  const clock = manualClock();
  const { raced, attempts, started } = staged(clock);
  clock.advance(headStart - 1);
  expect(started()).toEqual(["webtransport"]);
  clock.advance(1);
  expect(started()).toEqual(["webtransport", "websocket"]);
  const link = open();
  attempts.get("websocket")?.settle({ link });
  expect(await raced).toEqual({ link });
  expect(attempts.get("webtransport")?.signal.aborted).toBe(true);
  expect(attempts.get("websocket")?.signal.aborted).toBe(false);
  expect(clock.pending).toEqual([]);
});

test("the next kind starts at once when one fails", async () => {
  const clock = manualClock();
  const { raced, attempts, started } = staged(clock);
  attempts.get("webtransport")?.fail("UDP is blocked");
  await turn();
  expect(started()).toEqual(["webtransport", "websocket"]);
  attempts.get("websocket")?.settle({ end: { kind: "closed", reason: "The relay is full." } });
  await turn();
  attempts.get("fetch")?.fail("no network");
  expect(await raced).toEqual({ refused: false, reason: "no network" });
  expect(clock.pending).toEqual([]);
});

test("all kinds that hang end as a failure", async () => {
  const clock = manualClock();
  const { raced } = staged(clock);
  clock.advance(2 * headStart + attemptLimit);
  expect(await raced).toEqual({ refused: false, reason: "The relay does not answer." });
});

test("a refusal ends it: the other kinds would be refused as well", async () => {
  const clock = manualClock();
  const { raced, attempts, started } = staged(clock);
  attempts.get("webtransport")?.settle({ end: { kind: "refused", reason: "Not here." } });
  expect(await raced).toEqual({ refused: true, reason: "Not here." });
  expect(started()).toEqual(["webtransport"]);
});

test("only one attempt at a time proves who it is", async () => {
  const clock = manualClock();
  const { raced, attempts } = staged(clock);
  clock.advance(headStart);
  const proved: ChannelKind[] = [];
  for (const kind of ["websocket", "webtransport"] as const) {
    void attempts
      .get(kind)
      ?.mayProve()
      .then(() => proved.push(kind));
  }
  await turn();
  expect(proved).toEqual(["websocket"]);
  attempts.get("websocket")?.fail("broken");
  await turn();
  expect(proved).toEqual(["websocket", "webtransport"]);
  const link = open();
  attempts.get("webtransport")?.settle({ link });
  expect(await raced).toEqual({ link });
});

test("a session that opens after the end of the race is closed", async () => {
  const clock = manualClock();
  const { raced, attempts } = staged(clock);
  clock.advance(headStart);
  attempts.get("websocket")?.settle({ link: open() });
  await raced;
  const late = open();
  attempts.get("webtransport")?.settle({ link: late });
  expect((await late.ended).kind).toBe("closed");
});

test.each([[true], [false]])("called off, before it begins: %s", async (before) => {
  const clock = manualClock();
  const controller = new AbortController();
  if (before) controller.abort();
  const { raced, started, attempts } = staged(clock, controller.signal);
  controller.abort();
  expect(await raced).toEqual({ refused: false, reason: "Called off." } satisfies Raced);
  expect(started()).toEqual(before ? [] : ["webtransport"]);
  expect([...attempts.values()].every(({ signal }) => signal.aborted)).toBe(true);
  expect(clock.pending).toEqual([]);
});
