import { expect, onTestFinished, test, vi } from "vitest";
import { FederationError, type FederationRequest } from "../../../../src/worker-roomserver/federation/api.ts";
import { Waking } from "../../../../src/worker-roomserver/federation/waking/waking.ts";
import type { Storage } from "../../../../src/worker-roomserver/storage/api.ts";
import { testStorage } from "../../support/storage.ts";
import { testTimers } from "../support/timers.ts";

const MINUTE = 60_000;

/** One life of a homeserver that shares rooms with others. */
async function life(storage: Storage, timers: ReturnType<typeof testTimers>, servers: readonly string[]) {
  const asked: FederationRequest[] = [];
  const states = new Map<string, { lastSuccess?: number; retryAt?: number }>();
  const how = { isReachable: true, fails: false };
  const waking = new Waking({
    ...{ storage, now: timers.now, later: timers.later, random: () => 0.5, serverName: "here.example" },
    client: {
      request: async (request) => {
        asked.push(request);
        if (how.fails) throw new FederationError("unreachable", request.destination, "It is not there.");
        return { status: 200, text: "{}", json: {} };
      },
    },
    destinations: {
      state: async (serverName) => ({
        ...{ serverName, failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 0, lastError: "" },
        ...states.get(serverName),
      }),
    },
    isReachable: async () => how.isReachable,
    servers: async function* () {
      yield* servers;
    },
  });
  onTestFinished(() => waking.close());
  waking.start();
  /** Lets time go by, in steps, as each of its steps reads. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      timers.pass(Math.min(left, 1_000));
      // What it reads comes no later than what is read after it.
      for (let reads = 0; reads < 2; reads++) await storage.get("meta", "nothing");
    }
  };
  await pass(1_000);
  const told = () => asked.map(({ destination }) => destination).sort();
  return { waking, asked, states, how, pass, told };
}

/** A homeserver that others could reach, and that was away for so long since. */
async function awayFor(ms: number, servers: readonly string[] = ["a.example", "b.example"]) {
  const storage = await testStorage();
  const timers = testTimers();
  const before = await life(storage, timers, servers);
  await before.pass(2 * MINUTE);
  expect(before.asked).toEqual([]);
  before.waking.close();
  await storage.flushed();
  timers.pass(ms);
  return { storage, timers, servers };
}

test("who was away for long sends each server that shares a room a transaction with nothing in it", async () => {
  const { storage, timers, servers } = await awayFor(60 * MINUTE, ["a.example", "b.example", "a.example"]);
  const { asked, pass, told } = await life(storage, timers, [...servers, "here.example"]);
  expect(asked).toEqual([]);
  await pass(2 * MINUTE);
  expect(told()).toEqual(["a.example", "b.example"]);
  expect(asked[0]).toMatchObject({
    method: "PUT",
    uri: expect.stringMatching(/^\/_matrix\/federation\/v1\/send\/[\w-]+$/),
    content: { origin: "here.example", pdus: [], edus: [] },
  });
  expect(new Set(asked.map(({ uri }) => uri)).size).toBe(2);
  await pass(60 * MINUTE);
  expect(asked).toHaveLength(2);
});

test("a minute away is no reason", async () => {
  const { storage, timers, servers } = await awayFor(MINUTE);
  const { asked, pass } = await life(storage, timers, servers);
  await pass(10 * MINUTE);
  expect(asked).toEqual([]);
});

test("it waits until others can reach it, and tells it again when that was not so for long", async () => {
  const { storage, timers, servers } = await awayFor(60 * MINUTE);
  const { asked, how, pass } = await life(storage, timers, servers);
  expect(asked).toEqual([]);
  await pass(2 * MINUTE);
  expect(asked).toHaveLength(2);
  how.isReachable = false;
  await pass(30 * MINUTE);
  expect(asked).toHaveLength(2);
  how.isReachable = true;
  await pass(3 * MINUTE);
  expect(asked).toHaveLength(4);
});

test("nobody is told who has heard of it, was heard from, or is backed off from", async () => {
  const { storage, timers, servers } = await awayFor(60 * MINUTE, ["a.example", "b.example", "c.example"]);
  const { told, states, waking, pass } = await life(storage, timers, [...servers, "d.example", "e.example"]);
  states.set("a.example", { lastSuccess: timers.now() + 1 });
  states.set("b.example", { retryAt: timers.now() + 60 * MINUTE });
  waking.heardFrom("c.example");
  await storage.commit((write) => write.append({ topic: "mail", detail: "d.example" }));
  await pass(2 * MINUTE);
  expect(told()).toEqual(["e.example"]);
});

test("servers that are away themselves keep it from none of the others, of which there are few at a time", async () => {
  const many = Array.from({ length: 600 }, (_, i) => `s${i}.example`);
  const { storage, timers } = await awayFor(60 * MINUTE, many);
  const { asked, how, pass, told } = await life(storage, timers, many);
  how.fails = true;
  await pass(MINUTE);
  expect(asked.length).toBeLessThanOrEqual(30);
  await pass(15 * MINUTE);
  await vi.waitFor(() => expect(new Set(told()).size).toBe(500));
  expect(asked).toHaveLength(500);
});
