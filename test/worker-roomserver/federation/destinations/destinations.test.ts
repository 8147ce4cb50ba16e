import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  backOffMs,
  usualBackOff,
} from "../../../../src/worker-roomserver/federation/destinations/back-off.ts";
import { StoredDestinations } from "../../../../src/worker-roomserver/federation/destinations/destinations.ts";
import { type TestStorage, testStorage } from "../../support/storage.ts";
import { testTimers } from "../support/timers.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function destinations(given?: TestStorage, timers = testTimers()) {
  const storage = given ?? (await testStorage());
  const units = vi.spyOn(storage, "commit");
  const made = new StoredDestinations({ ...timers, storage, random: () => 0.5 });
  const ready: string[] = [];
  made.onReady((name) => ready.push(name));
  await made.start();
  return { storage, timers, made, ready, units };
}

describe("servers that do not answer", () => {
  test("are left alone longer and longer, and are tried when the time has come", async () => {
    const { made, timers, ready } = await destinations();
    for (const minutes of [1, 2, 4, 8]) {
      expect(await made.isReady("a.example")).toBe(true);
      made.failed("a.example", "It hangs.");
      timers.pass(minutes * MINUTE - 1);
      expect(await made.isReady("a.example")).toBe(false);
      expect(ready).toEqual([]);
      timers.pass(1);
      expect(ready.splice(0)).toEqual(["a.example"]);
    }
    expect(await made.state("a.example")).toMatchObject({ failures: 4, lastError: "It hangs." });
  });

  test("property: the time grows, within its bounds", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, random) => {
          const { first, most } = usualBackOff;
          const ms = backOffMs(usualBackOff, n, random);
          expect(ms).toBeGreaterThanOrEqual(0.8 * first);
          expect(ms).toBeLessThanOrEqual(1.2 * most);
          expect(backOffMs(usualBackOff, n + 1, random)).toBeGreaterThanOrEqual(ms);
        },
      ),
    );
  });

  test("count once for all requests that were under way, and not against what they have answered since", async () => {
    const { made, timers } = await destinations();
    await made.state("a.example");
    const askedAt = timers.now();
    for (let i = 0; i < 10; i++) made.failed("a.example", "x", askedAt);
    expect((await made.state("a.example")).failures).toBe(1);
    timers.pass(MINUTE);
    made.succeeded("a.example");
    made.failed("a.example", "x", askedAt);
    expect(await made.state("a.example")).toMatchObject({ failures: 0, retryAt: 0, lastError: "" });
  });

  test("are tried as soon as there is a way out where for want of one they were not asked, and once", async () => {
    const { made, timers, ready } = await destinations();
    for (const name of ["a.example", "a.example", "b.example"]) made.notAsked(name, timers.now());
    expect(await made.isReady("a.example")).toBe(true);
    expect(ready).toEqual([]);
    timers.pass(1);
    made.wayIsOpen();
    expect(ready.splice(0)).toEqual(["a.example", "b.example"]);
    made.wayIsOpen();
    expect(ready).toEqual([]);
    // It was found out before that it does not answer: that has nothing to do with the way.
    made.failed("a.example", "It hangs.");
    await made.state("a.example");
    made.notAsked("a.example", timers.now());
    made.wayIsOpen();
    expect(await made.isReady("a.example")).toBe(false);
    timers.pass(MINUTE);
    expect(await made.isReady("a.example")).toBe(true);
  });

  test("are tried at once where the way out opened while they could not be asked", async () => {
    const { made, timers, ready } = await destinations();
    const askedAt = timers.now();
    timers.pass(1);
    made.wayIsOpen();
    made.notAsked("a.example", askedAt);
    expect(ready.splice(0)).toEqual(["a.example"]);
    timers.pass(1);
    made.notAsked("a.example", timers.now());
    expect(ready).toEqual([]);
  });

  test("are tried again at once when something has come from them, but not with each thing that comes", async () => {
    const { made, timers, ready } = await destinations();
    made.heardFrom("a.example");
    await made.state("a.example");
    expect(ready).toEqual([]);
    made.failed("a.example", "x");
    made.heardFrom("a.example");
    expect(await made.isReady("a.example")).toBe(true);
    expect(ready.splice(0)).toEqual(["a.example"]);
    // It was no better, and counts on from where it was.
    made.failed("a.example", "x");
    expect((await made.state("a.example")).failures).toBe(2);
    made.heardFrom("a.example");
    expect(await made.isReady("a.example")).toBe(false);
    timers.pass(MINUTE);
    made.heardFrom("a.example");
    expect(await made.isReady("a.example")).toBe(true);
    timers.pass(HOUR);
    expect(ready).toEqual(["a.example"]);
  });

  test("are tried when the owner wants it, and are well when they answer", async () => {
    const { made, timers, ready } = await destinations();
    made.failed("a.example", "x");
    made.failed("b.example", "x");
    await made.state("a.example");
    await made.state("b.example");
    made.retryNow("a.example");
    made.retryNow("a.example");
    made.retryNow("c.example");
    made.succeeded("b.example");
    await made.state("c.example");
    expect(ready).toEqual(["a.example", "b.example"]);
    timers.pass(HOUR);
    expect(ready).toHaveLength(2);
    expect(await made.state("b.example")).toMatchObject({ failures: 0, lastSuccess: timers.now() - HOUR });
  });

  test("are left alone over a restart, and are told of when their time has come", async () => {
    const { made, storage, timers } = await destinations();
    made.failed("a.example", "x");
    made.failed("b.example", "x");
    await made.state("a.example");
    await made.state("b.example");
    made.succeeded("b.example");
    made.close();
    await storage.settled();
    const next = await destinations(storage, timers);
    expect(await next.made.isReady("a.example")).toBe(false);
    expect(await next.made.isReady("b.example")).toBe(true);
    expect((await next.made.all()).map(({ serverName, failures }) => [serverName, failures])).toEqual([
      ["a.example", 1],
      ["b.example", 0],
    ]);
    timers.pass(MINUTE);
    expect(next.ready).toEqual(["a.example"]);
  });

  test("who succeeds costs no disk, and who fails shares it with others", async () => {
    const { made, timers, units, storage } = await destinations();
    for (let i = 0; i < 100; i++) {
      await made.state(`${i}.example`);
      made.succeeded(`${i}.example`);
    }
    timers.pass(MINUTE);
    expect(units).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 100; i++) made.succeeded(`${i}.example`);
    timers.pass(MINUTE);
    expect(units).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 100; i++) made.failed(`${i}.example`, "x");
    timers.pass(10_000);
    expect(units).toHaveBeenCalledTimes(2);
    await storage.settled();
    expect(await storage.getAllKeys("destinations")).toHaveLength(100);
  });

  test("nothing is called or written after the end", async () => {
    const { made, timers, ready, units } = await destinations();
    made.failed("a.example", "x");
    await made.state("a.example");
    made.close();
    made.failed("b.example", "x");
    timers.pass(HOUR);
    expect(ready).toEqual([]);
    expect(units).toHaveBeenCalledTimes(1);
  });
});
