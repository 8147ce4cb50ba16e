import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import type { Membership } from "../../../src/worker-roomserver/storage/schema.ts";
import { openTyping } from "../../../src/worker-roomserver/typing/open.ts";
import { refusal, requester } from "../support/requester.ts";
import { until } from "../support/rounds.ts";
import { logAfter, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");
const roomId = "!r:h";
const room = 1_000;

/** The clock and its timers stand still until they are moved; IndexedDB has clocks of its own. */
function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000 });
  onTestFinished(() => void vi.useRealTimers());
}

async function open(given?: Storage) {
  const storage = given ?? (await testStorage());
  const members = new Map<string, Membership>([
    [alice.userId, "join"],
    [bob.userId, "join"],
    ["@left:h", "leave"],
  ]);
  const typing = await openTyping({
    storage,
    now: () => Date.now(),
    room: {
      nid: async (id) => (id === roomId ? room : undefined),
      membershipOf: async (userId, nid) => {
        const membership = members.get(userId);
        return membership && { room: nid, roomId, membership, event: 1, since: 1, forgotten: false };
      },
    },
  });
  onTestFinished(() => typing.close());
  const set = (who: typeof alice, types: boolean, timeout = 30_000) =>
    typing.set(who, roomId, who.userId, types, timeout);
  const changes = async () => {
    await storage.settled();
    const entries = await logAfter(storage);
    return entries.filter((entry) => entry.topic === "typing").map((entry) => entry.detail);
  };
  return { storage, typing, members, set, changes };
}

describe("typing at other servers", () => {
  test("is heard of who is in the room, and ends by itself after a minute", async () => {
    stopTheClock();
    const { typing, changes } = await open();
    await typing.hear(roomId, "@left:h", true);
    await typing.hear("!other:h", bob.userId, true);
    expect(await changes()).toEqual([]);
    await typing.hear(roomId, bob.userId, true);
    await typing.hear(roomId, bob.userId, true);
    expect(typing.typists(room)).toEqual([bob.userId]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(typing.typists(room)).toEqual([]);
    await until(async () => (await changes()).length === 2);
    await typing.hear(roomId, bob.userId, true);
    await typing.hear(roomId, bob.userId, false);
    expect(typing.typists(room)).toEqual([]);
    expect(await changes()).toEqual(["some", "", "some", ""]);
  });

  test("of somebody here is told anew while it goes on, as others forget it", async () => {
    stopTheClock();
    const { set, changes } = await open();
    await set(alice, true);
    await vi.advanceTimersByTimeAsync(20_000);
    await set(alice, true);
    expect(await changes()).toEqual(["some"]);
    await vi.advanceTimersByTimeAsync(10_000);
    await set(alice, true);
    expect(await changes()).toEqual(["some", "some"]);
  });
});

describe("typing", () => {
  test("is told when the list changes, and only then", async () => {
    stopTheClock();
    const { typing, set, changes } = await open();
    await set(alice, true);
    await set(bob, true);
    await set(alice, true);
    expect(typing.typists(room)).toEqual([alice.userId, bob.userId]);
    expect(await changes()).toEqual(["some", "some"]);
    await set(alice, false);
    await set(alice, false);
    expect(typing.typists(room)).toEqual([bob.userId]);
    await set(bob, true, 0);
    expect(typing.typists(room)).toEqual([]);
    expect(await changes()).toEqual(["some", "some", "some", ""]);
    expect(typing.typists(2_000)).toEqual([]);
  });

  test("ends by itself, and not before", async () => {
    stopTheClock();
    const { typing, set, changes } = await open();
    await set(alice, true, 10_000);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(typing.typists(room)).toEqual([alice.userId]);
    await vi.advanceTimersByTimeAsync(1);
    expect(typing.typists(room)).toEqual([]);
    expect(await changes()).toEqual(["some", ""]);
  });

  test("lasts on when it is said again, but never longer than two minutes", async () => {
    stopTheClock();
    const { typing, set, changes } = await open();
    await set(alice, true, 10_000);
    await vi.advanceTimersByTimeAsync(9_000);
    await set(alice, true, 1e12);
    await vi.advanceTimersByTimeAsync(119_999);
    expect(typing.typists(room)).toEqual([alice.userId]);
    await vi.advanceTimersByTimeAsync(1);
    expect(typing.typists(room)).toEqual([]);
    expect(await changes()).toEqual(["some", ""]);
  });

  test("is over on time where timers are late, and the end is told once", async () => {
    stopTheClock();
    const { typing, set, changes } = await open();
    await set(alice, true, 10_000);
    vi.setSystemTime(20_000);
    expect(typing.typists(room)).toEqual([]);
    await set(alice, false);
    expect(await changes()).toEqual(["some", ""]);
  });

  test("ends when the typist leaves", async () => {
    const { storage, typing, members, set, changes } = await open();
    await set(alice, true);
    const user = await storage.names.intern(alice.userId);
    await storage.commit((write) => write.append({ topic: "room", room, user, event: 1 }));
    expect(typing.typists(room)).toEqual([alice.userId]); // only a new name
    members.set(alice.userId, "leave");
    await storage.commit((write) => write.append({ topic: "room", room, user, event: 2 }));
    await until(() => typing.typists(room).length === 0);
    expect(await changes()).toEqual(["some", ""]);
  });

  test.each([
    ["others", roomId, bob.userId, alice],
    ["who has left", roomId, "@left:h", requester("left")],
    ["who never was there", roomId, "@x:h", requester("x")],
    ["a room that is not known", "!x:h", alice.userId, alice],
  ])("cannot be set for %s", async (_, inRoom, userId, who) => {
    const { typing, changes } = await open();
    const refused = typing.set(who, inRoom, userId, true, 1_000);
    expect(await refusal(refused)).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    expect(await changes()).toEqual([]);
  });
});

describe("rooms whose typists changed", () => {
  test("are found by the stretch of the log", async () => {
    const { typing, set } = await open();
    await set(alice, true); // 1
    await set(alice, false); // 2
    expect(await typing.changedRooms([room, 7], 0, 2)).toEqual([room]);
    expect(await typing.changedRooms([room], 1, 2)).toEqual([room]);
    expect(await typing.changedRooms([room], 2, 2)).toEqual([]);
    expect(await typing.changedRooms([7], 0, 2)).toEqual([]);
    // What changed again later is told then.
    expect(await typing.changedRooms([room], 0, 1)).toEqual([]);
  });

  test("are told when the leader went while somebody typed", async () => {
    const first = await testStorage();
    const before = await open(first);
    await before.set(alice, true); // 1
    const second = await testStorage(first.name);
    const after = await open(second);
    expect(after.typing.typists(room)).toEqual([]);
    expect(await after.changes()).toEqual(["some", ""]);
    expect(await after.typing.changedRooms([room, 7], 1, second.position)).toEqual([room]);
    expect(await after.typing.changedRooms([room, 7], 0, 1)).toEqual([room]);
  });

  test("are left alone when nobody typed any more", async () => {
    const first = await testStorage();
    const before = await open(first);
    await before.set(alice, true);
    await before.set(alice, false);
    const after = await open(await testStorage(first.name));
    expect(await after.changes()).toEqual(["some", ""]);
  });

  test("are all told after a stretch that is too long to be read", async () => {
    const first = await testStorage();
    await first.commit((write) => {
      for (let i = 0; i <= 5_000; i++) write.append({ topic: "profile" });
    });
    const { typing } = await open(await testStorage(first.name));
    expect(await typing.changedRooms([room, 7], 0, 5_001)).toEqual([room, 7]);
    expect(await typing.changedRooms([room, 7], 1, 5_001)).toEqual([]);
  });
});
