import { expect, test, vi } from "vitest";
import { MatrixError } from "../../../../src/matrix/errors.ts";
import { Lanes } from "../../../../src/worker-roomserver/federation/receiver/lanes.ts";
import { Turns } from "../../../../src/worker-roomserver/federation/receiver/turns.ts";

type Take = (id: number) => Promise<"ended" | "later">;

/** Lanes whose timers run when the test says so. */
function lanes(take: Take) {
  const timers: { ms: number; call: () => void }[] = [];
  const gaveUp: number[] = [];
  const made = new Lanes<number>({
    later: (ms, call) => {
      const timer = { ms, call };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    prepare: async (id) => id,
    take,
    giveUp: async (id) => gaveUp.push(id),
  });
  const ring = () => timers.splice(0, 1)[0]!.call();
  return { made, timers, gaveUp, ring };
}

test("mail of one server is taken in in order, each once; that of another does not wait for it", async () => {
  const taken: number[] = [];
  let release: () => void = () => undefined;
  const stuck = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { made } = lanes(async (id) => {
    if (id === 2) await stuck;
    taken.push(id);
    return "ended";
  });
  for (const id of [1, 2, 3, 3, 2]) made.add("a", id);
  for (const id of [11, 12]) made.add("b", id);
  await vi.waitFor(() => expect(taken.toSorted((a, b) => a - b)).toEqual([1, 11, 12]), 10_000);
  release();
  await vi.waitFor(() => expect(taken.filter((id) => id < 10)).toEqual([1, 2, 3]), 10_000);
});

test("what fails is tried again before what is after it, and passed over in the end", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const attempts: number[] = [];
  const { made, timers, ring } = lanes(async (id) => {
    attempts.push(id);
    if (id === 1) throw new Error("broken");
    return "ended";
  });
  made.add("a", 1);
  made.add("a", 2);
  for (let i = 1; i < 6; i++) {
    await vi.waitFor(() => expect(timers).toHaveLength(1), 10_000);
    ring();
  }
  await vi.waitFor(() => expect(attempts).toEqual([1, 1, 1, 1, 1, 1, 2]), 10_000);
});

test("a full disk is waited for, however long", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  let attempts = 0;
  const { made, timers, ring } = lanes(async () => {
    if (++attempts <= 20) throw new MatrixError("M_UNKNOWN", 507, "full");
    return "ended";
  });
  made.add("a", 1);
  for (let i = 0; i < 20; i++) {
    await vi.waitFor(() => expect(timers).toHaveLength(1), 10_000);
    ring();
  }
  await vi.waitFor(() => expect(attempts).toBe(21), 10_000);
});

test("what lacks a key is passed over, and tried again in a while; past a number of such it is given up", async () => {
  const attempts: number[] = [];
  const { made, timers, gaveUp, ring } = lanes(async (id) => {
    attempts.push(id);
    return id < 5_000 && attempts.filter((one) => one === id).length < 2 ? "later" : "ended";
  });
  for (let id = 1; id <= 1_003; id++) made.add("a", id);
  made.add("a", 5_000);
  await vi.waitFor(() => expect(attempts.at(-1)).toBe(5_000), 10_000);
  await vi.waitFor(() => expect(timers).toHaveLength(1), 10_000);
  expect(gaveUp).toEqual([1_001, 1_002, 1_003]);
  ring();
  await vi.waitFor(() => expect(attempts).toHaveLength(1_004 + 1_000), 10_000);
  expect(attempts.slice(1_004)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
});

test("turns: no more at a time than allowed, in all and of one key, and who is slow keeps only its own key's places", async () => {
  const turns = new Turns(3, 2);
  const running: string[] = [];
  let most = 0;
  const ends: (() => void)[] = [];
  const task = (key: string) =>
    turns.run(key, async () => {
      running.push(key);
      most = Math.max(most, running.length);
      await new Promise<void>((resolve) => ends.push(resolve));
      running.splice(running.indexOf(key), 1);
    });
  const all = [task("a"), task("a"), task("a"), task("b"), task("b")];
  expect(running).toEqual(["a", "a", "b"]);
  ends[2]!();
  await vi.waitFor(() => expect(ends).toHaveLength(4), 10_000);
  expect(running).toEqual(["a", "a", "b"]);
  while (ends.length < 5 || running.length > 0) {
    for (const end of ends) end();
    await Promise.resolve();
  }
  await Promise.all(all);
  expect(most).toBe(3);
});
