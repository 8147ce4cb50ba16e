import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openPresence } from "../../../src/worker-roomserver/presence/open.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { refusal, requester } from "../support/requester.ts";
import { failCommit, nextTask, until } from "../support/rounds.ts";
import { logAfter, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");
const stranger = requester("stranger");
const everybody = new Set([alice.userId, bob.userId]);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000 });
  onTestFinished(() => void vi.useRealTimers());
});

async function open(given?: Storage) {
  const storage = given ?? (await testStorage());
  const presence = await openPresence({
    storage,
    now: () => Date.now(),
    room: {
      sharingUsers: async (userId) =>
        new Set([...everybody].filter((other) => other !== userId && userId !== stranger.userId)),
    },
  });
  onTestFinished(() => presence.close());
  /** Waits until so much has been told, and finds that it is no more. */
  const told = async (times: number) => {
    const entries = async () => (await logAfter(storage)).length;
    await until(async () => (await entries()) >= times);
    for (let round = 0; round < 5; round++) await nextTask();
    await storage.settled();
    expect(await entries()).toBe(times);
  };
  const seen = async (userId = alice.userId) => (await presence.get(bob, userId)) as { presence: string };
  return { storage, presence, told, seen };
}

describe("presence at other servers", () => {
  const heard = {
    presence: "online",
    currentlyActive: true,
    statusMsg: "hi",
    lastActiveTs: 999_000,
  } as const;
  const hear = (presence: Awaited<ReturnType<typeof open>>["presence"], more: object = {}) =>
    presence.hear(new Map([[alice.userId as string, { ...heard, ...more }]]));

  test("is told when it changes, and ends when it is not heard of for half an hour", async () => {
    const { presence, storage, told, seen } = await open();
    await hear(presence);
    await hear(presence);
    await told(1);
    const online = { presence: "online", currently_active: true, last_active_ago: 1_000, status_msg: "hi" };
    expect(await seen()).toEqual(online);
    const event = { type: "m.presence", sender: alice.userId, content: online };
    expect(await presence.changed(everybody, 0, storage.position)).toEqual([event]);
    expect(await presence.changed(everybody, storage.position, storage.position + 1)).toEqual([]);
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    await hear(presence);
    await vi.advanceTimersByTimeAsync(29 * 60_000);
    expect((await seen()).presence).toBe("online");
    await told(1);
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect((await seen()).presence).toBe("offline");
    await told(2);
    await hear(presence, { presence: "unavailable", currentlyActive: false });
    await told(3);
    expect((await seen()).presence).toBe("unavailable");
  });

  test("is told them anew before half an hour of somebody who is there", async () => {
    const { presence, told } = await open();
    presence.syncing(alice.userId, "online");
    await told(1);
    // The clock must not run ahead of the disk: what comes next is set when that before is written.
    await vi.advanceTimersByTimeAsync(60_000);
    await told(2); // not active any more
    await vi.advanceTimersByTimeAsync(9 * 60_000);
    await told(3); // away
    await vi.advanceTimersByTimeAsync(19 * 60_000);
    await told(3);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    await told(4);
  });

  test("that the disk did not take is heard again", async () => {
    const { presence, storage, told, seen } = await open();
    const isFull = failCommit(storage);
    await expect(hear(presence)).rejects.toThrow();
    await isFull;
    expect((await seen()).presence).toBe("offline");
    await hear(presence);
    await told(1);
    expect((await seen()).presence).toBe("online");
  });
});

describe("presence", () => {
  test("follows syncs and the clock, and each change is told once", async () => {
    const { presence, told, seen } = await open();
    const ended = presence.syncing(alice.userId, "online");
    presence.syncing(alice.userId, "online")();
    await told(1);
    expect(await seen()).toEqual({ presence: "online", currently_active: true, last_active_ago: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    await told(2);
    expect(await seen()).toEqual({ presence: "online", currently_active: false, last_active_ago: 60_000 });
    await vi.advanceTimersByTimeAsync(240_000);
    await told(3);
    expect(await seen()).toEqual({ presence: "unavailable", last_active_ago: 300_000 });
    ended();
    ended();
    await vi.advanceTimersByTimeAsync(29_999);
    expect((await seen()).presence).toBe("unavailable");
    await vi.advanceTimersByTimeAsync(1);
    await told(4);
    expect((await seen()).presence).toBe("offline");
  });

  test("activity while somebody is known to be active is no news", async () => {
    const { presence, told, seen } = await open();
    presence.syncing(alice.userId, "online");
    await told(1);
    await vi.advanceTimersByTimeAsync(50_000);
    presence.active(alice.userId);
    await vi.advanceTimersByTimeAsync(50_000);
    await told(1);
    expect(await seen()).toEqual({ presence: "online", currently_active: true, last_active_ago: 50_000 });
  });

  test("a sync that says offline shows nobody", async () => {
    const { presence, told, seen } = await open();
    presence.syncing(alice.userId, "offline")();
    await told(0);
    expect(await seen()).toEqual({ presence: "offline" });
  });

  test("is set with a message, which goes when none is given", async () => {
    const { presence, seen } = await open();
    await presence.set(alice, alice.userId, "unavailable", "in a meeting");
    expect(await seen()).toEqual({ presence: "unavailable", status_msg: "in a meeting", last_active_ago: 0 });
    await presence.set(alice, alice.userId, "unavailable", undefined);
    expect(await seen()).toEqual({ presence: "unavailable", last_active_ago: 0 });
  });

  test("is set by its owner, and seen by those who share a room", async () => {
    const { presence, told } = await open();
    const forbidden = { errcode: "M_FORBIDDEN", status: 403 };
    expect(await refusal(presence.set(bob, alice.userId, "online", undefined))).toEqual(forbidden);
    expect(await refusal(presence.get(stranger, alice.userId))).toEqual(forbidden);
    expect(await refusal(presence.get(bob, "@nobody:h"))).toEqual(forbidden);
    expect(await presence.get(stranger, stranger.userId)).toEqual({ presence: "offline" });
    await told(0);
  });
});

describe("readers", () => {
  test("get what changed in their stretch of the log", async () => {
    const { presence } = await open();
    await presence.set(alice, alice.userId, "online", undefined); // 1
    await presence.set(bob, bob.userId, "offline", "gone"); // 2
    const changed = async (after: number, upTo: number, users: ReadonlySet<string> = everybody) =>
      (await presence.changed(users, after, upTo)).map(({ sender }) => sender);
    expect(await changed(0, 2)).toEqual([alice.userId, bob.userId]);
    expect(await changed(1, 2)).toEqual([bob.userId]);
    expect(await changed(0, 1)).toEqual([alice.userId]);
    expect(await changed(2, 2)).toEqual([]);
    expect(await changed(0, 2, new Set([bob.userId]))).toEqual([bob.userId]);
    expect(await presence.changed(new Set([alice.userId]), 0, 1)).toEqual([
      {
        type: "m.presence",
        sender: alice.userId,
        content: { presence: "online", currently_active: true, last_active_ago: 0 },
      },
    ]);
  });

  test("are not told at the beginning of those who are not there", async () => {
    const { presence } = await open();
    await presence.set(alice, alice.userId, "online", undefined);
    await presence.set(alice, alice.userId, "offline", undefined);
    expect(await presence.changed(everybody, 0, 2)).toEqual([]);
    expect(await presence.changed(everybody, 1, 2)).toHaveLength(1);
  });
});

describe("under the next leader", () => {
  test("who does not come back is offline, which is told", async () => {
    const first = await testStorage();
    const before = await open(first);
    await before.presence.set(alice, alice.userId, "online", "here");
    before.presence.close();
    const after = await open(await testStorage(first.name));
    expect((await after.seen()).presence).toBe("online");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await after.seen()).toEqual({ presence: "offline", status_msg: "here", last_active_ago: 30_000 });
    await after.told(2);
  });

  test("who goes on syncing has never been away", async () => {
    const first = await testStorage();
    const before = await open(first);
    await before.presence.set(alice, alice.userId, "online", undefined);
    before.presence.close();
    const after = await open(await testStorage(first.name));
    await vi.advanceTimersByTimeAsync(20_000);
    after.presence.syncing(alice.userId, "online");
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await after.seen()).presence).toBe("online");
    await after.told(1);
  });
});

test("what a failed commit has lost is told with the next change", async () => {
  const { storage, presence, told } = await open();
  await storage.names.intern(alice.userId); // nothing is to be read between the one and the other
  const failed = failCommit(storage);
  const lost = presence.set(alice, alice.userId, "online", undefined);
  await Promise.all([failed, expect(lost).rejects.toThrow()]);
  await told(0);
  await presence.set(alice, alice.userId, "online", undefined);
  await told(1);
});
