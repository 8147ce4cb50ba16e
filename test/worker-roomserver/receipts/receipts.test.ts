import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MatrixError } from "../../../src/matrix/errors.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { openAccountData } from "../../../src/worker-roomserver/account-data/open.ts";
import { openReceipts } from "../../../src/worker-roomserver/receipts/open.ts";
import type { StoredEvent } from "../../../src/worker-roomserver/room/api.ts";
import { refusal, requester } from "../support/requester.ts";
import { dump, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");
const roomId = "!r:h";
/** What the first name in a database is interned as. */
const ROOM = 1;

const relates = (rel_type: string, event_id: string): JsonObject => ({
  "m.relates_to": { rel_type, event_id },
});
/** The events of the room in their order, which is the number in their name; `$t5` is in the thread of `$1`. */
const contents: { [eventId: string]: JsonObject } = {
  "$1:h": {},
  "$2:h": {},
  "$3:h": {},
  "$4:h": relates("m.reference", "$1:h"),
  "$t5:h": relates("m.thread", "$1:h"),
  "$t6:h": relates("m.annotation", "$t5:h"),
  "$7:h": {},
};
const orderOf = (eventId: string) => Number(/\d+/.exec(eventId)?.[0]);

async function open() {
  const storage = await testStorage();
  await storage.names.intern(roomId);
  const now = { value: 1 };
  const event = (eventId: string, room: number, status: 0 | 2) =>
    ({
      eventId,
      room,
      status,
      order: orderOf(eventId),
      pdu: { content: contents[eventId] ?? {} },
    }) as unknown as StoredEvent;
  const elsewhere = new Map([
    ["$other8:h", event("$other8:h", 1_000, 0)],
    ["$soft9:h", event("$soft9:h", ROOM, 2)],
  ]);
  const receipts = openReceipts({
    storage,
    now: () => now.value++,
    room: {
      nid: async (id) => (id === roomId ? ROOM : undefined),
      membershipOf: async (userId, room) => {
        const membership = userId === "@left:h" ? "leave" : "join";
        return { room, roomId, membership, event: 1, since: 1, forgotten: false };
      },
      eventById: async (id) => (id in contents ? event(id, ROOM, 0) : elsewhere.get(id)),
    },
  });
  const set = (
    eventId: string,
    type: "m.read" | "m.read.private" | "m.fully_read" = "m.read",
    threadId?: string,
  ) => receipts.set(alice, [{ roomId, type, eventId, threadId }]);
  const own = async () =>
    (await receipts.own(alice.userId, ROOM)).map(({ type, thread, eventId }) =>
      [type, thread, eventId].join(" "),
    );
  return { storage, receipts, set, own };
}

describe("a receipt", () => {
  test("is moved forward, and tells when", async () => {
    const { receipts, set, own } = await open();
    await set("$1:h");
    await set("$3:h");
    expect(await own()).toEqual(["m.read  $3:h"]);
    const [receipt] = await receipts.changed(ROOM, bob.userId, 0, 10);
    expect(receipt).toMatchObject({
      userId: alice.userId,
      eventId: "$3:h",
      thread: "",
      ts: 2,
      order: 3,
      p: 2,
    });
  });

  test("never moves back, which is no error and no news", async () => {
    const { storage, set, own } = await open();
    await set("$3:h");
    const before = await dump(storage);
    await set("$2:h");
    await set("$3:h");
    expect(await dump(storage)).toEqual(before);
    expect(await own()).toEqual(["m.read  $3:h"]);
  });

  test("is one a type and thread", async () => {
    const { set, own } = await open();
    await set("$7:h");
    await set("$3:h", "m.read", "main");
    await set("$t5:h", "m.read", "$1:h");
    await set("$2:h", "m.read.private");
    expect((await own()).sort()).toEqual(
      ["m.read  $7:h", "m.read main $3:h", "m.read $1:h $t5:h", "m.read.private  $2:h"].sort(),
    );
  });

  test("in private is for its owner only", async () => {
    const { receipts, set } = await open();
    await set("$1:h", "m.read.private");
    await set("$2:h");
    const seenBy = async (userId: string) =>
      (await receipts.changed(ROOM, userId, 0, 10)).map(({ type }) => type);
    expect(await seenBy(alice.userId)).toEqual(["m.read.private", "m.read"]);
    expect(await seenBy(bob.userId)).toEqual(["m.read"]);
  });

  test("is told to readers of its stretch of the log", async () => {
    const { receipts, set } = await open();
    await set("$1:h");
    await set("$2:h", "m.read.private");
    const between = async (after: number, upTo: number) =>
      (await receipts.changed(ROOM, alice.userId, after, upTo)).map(({ p }) => p);
    expect(await between(0, 1)).toEqual([1]);
    expect(await between(1, 2)).toEqual([2]);
    expect(await between(2, 2)).toEqual([]);
    expect(await between(2, 9)).toEqual([]);
  });

  test.each<[thread: string, eventId: string, ok: boolean]>([
    ["main", "$1:h", true],
    ["main", "$4:h", true],
    ["main", "$t5:h", false],
    ["main", "$t6:h", false],
    ["$1:h", "$t5:h", true],
    ["$1:h", "$t6:h", true],
    ["$1:h", "$1:h", true],
    ["$1:h", "$4:h", true],
    ["$1:h", "$2:h", false],
    ["$2:h", "$t5:h", false],
    ["", "$1:h", false],
    ["thread", "$1:h", false],
  ])("for the thread %j on %s: %s", async (thread, eventId, ok) => {
    const { set } = await open();
    const outcome = await set(eventId, "m.read", thread).then(
      () => "stored",
      (error: MatrixError) => error.errcode,
    );
    expect(outcome).toBe(ok ? "stored" : "M_INVALID_PARAM");
  });

  test.each([
    ["an unknown event", "$nowhere:h", "M_NOT_FOUND", 404],
    ["an event of another room", "$other8:h", "M_NOT_FOUND", 404],
    ["a soft-failed event", "$soft9:h", "M_NOT_FOUND", 404],
  ])("for %s is refused", async (_, eventId, errcode, status) => {
    const { storage, set } = await open();
    expect(await refusal(set(eventId))).toEqual({ errcode, status });
    expect((await dump(storage)).receipts).toEqual([]);
  });

  test("is for members", async () => {
    const { receipts } = await open();
    const forbidden = { errcode: "M_FORBIDDEN", status: 403 };
    const read = (roomId: string) => [{ roomId, type: "m.read" as const, eventId: "$1:h" }];
    expect(await refusal(receipts.set(requester("left"), read(roomId)))).toEqual(forbidden);
    expect(await refusal(receipts.set(alice, read("!unknown:h")))).toEqual(forbidden);
    expect(await refusal(receipts.set(alice, read("r")))).toEqual({
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  });
});

describe("the fully read marker", () => {
  test("is account data of the room, and no receipt", async () => {
    const { storage, receipts, set, own } = await open();
    await set("$3:h", "m.fully_read");
    await set("$2:h", "m.fully_read");
    const data = openAccountData({ storage });
    const content = { event_id: "$3:h" };
    expect(await data.changed(alice.userId, 0, 10)).toEqual([
      { roomId, type: "m.fully_read", content, position: 1 },
    ]);
    expect(await data.get(alice, alice.userId, roomId, "m.fully_read")).toEqual(content);
    expect(await own()).toEqual([]);
    expect(await receipts.changed(ROOM, alice.userId, 0, 10)).toEqual([]);
    expect(await storage.entriesAfter(0, 10)).toMatchObject([
      { topic: "accountData", room: ROOM, user: 2, detail: "m.fully_read" },
    ]);
  });

  test("has no threads", async () => {
    const { set } = await open();
    expect(await refusal(set("$1:h", "m.fully_read", "main"))).toEqual({
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  });

  test("goes with receipts whole or not at all", async () => {
    const { storage, receipts } = await open();
    const before = await dump(storage);
    const wanted = receipts.set(alice, [
      { roomId, type: "m.fully_read", eventId: "$1:h" },
      { roomId, type: "m.read", eventId: "$nowhere:h" },
    ]);
    expect((await refusal(wanted)).errcode).toBe("M_NOT_FOUND");
    expect((await dump(storage)).receipts).toEqual(before.receipts);
    await receipts.set(alice, [
      { roomId, type: "m.fully_read", eventId: "$1:h" },
      { roomId, type: "m.read", eventId: "$2:h" },
    ]);
    expect((await dump(storage)).receipts).toHaveLength(2);
  });
});

test("any order of sets, one by one or at once, leaves the furthest of each type and thread", async () => {
  const request = fc.record({
    type: fc.constantFrom("m.read" as const, "m.read.private" as const, "m.fully_read" as const),
    place: fc.constantFrom<[string, string | undefined]>(
      ["$1:h", undefined],
      ["$2:h", undefined],
      ["$t5:h", undefined],
      ["$1:h", "main"],
      ["$3:h", "main"],
      ["$7:h", "main"],
      ["$1:h", "$1:h"],
      ["$t5:h", "$1:h"],
      ["$t6:h", "$1:h"],
    ),
  });
  const calls = fc.array(fc.record({ requests: fc.array(request, { maxLength: 3 }), wait: fc.boolean() }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(calls, async (made) => {
      const { storage, receipts } = await open();
      const furthest = new Map<string, number>();
      const sent: Promise<void>[] = [];
      for (const { requests, wait } of made) {
        const wanted = requests.map(({ type, place: [eventId, threadId] }) => ({
          roomId,
          type,
          eventId,
          threadId: type === "m.fully_read" ? undefined : threadId,
        }));
        for (const { type, eventId, threadId = "" } of wanted) {
          const key = `${type} ${threadId}`;
          furthest.set(key, Math.max(furthest.get(key) ?? 0, orderOf(eventId)));
        }
        sent.push(receipts.set(alice, wanted));
        if (wait) await sent.at(-1);
      }
      await Promise.all(sent);
      const rows = (await storage.getAll("receipts")).map(
        (row) => [`${row.type} ${row.thread}`, row.order] as const,
      );
      expect(new Map(rows)).toEqual(furthest);
    }),
    { numRuns: 40 },
  );
});
