import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { positionToken } from "../../../src/worker-roomserver/node/tokens.ts";
import { limit, type TestSync, testSync, texts } from "./support/sync.ts";

async function start(): Promise<{ t: TestSync; roomId: string; since: string }> {
  const t = await testSync();
  const roomId = await t.create("bob");
  await t.act("alice", "join", roomId);
  const { next_batch } = await t.poll("alice");
  return { t, roomId, since: next_batch };
}

test("the sections that are always there", async () => {
  const { t, since } = await start();
  expect(await t.poll("alice", { since })).toEqual({
    next_batch: expect.stringMatching(/^h\d+$/),
    account_data: { events: [] },
    presence: { events: [] },
    rooms: { join: {}, invite: {}, knock: {}, leave: {} },
    to_device: { events: [] },
    device_lists: { changed: [], left: [] },
    device_one_time_keys_count: { signed_curve25519: 0 },
    device_unused_fallback_key_types: [],
  });
});

describe("since", () => {
  test.each(["", "h", "s1_2_3", "h1.5", "h-1", "h99999999999999999999", "72595_4483_1934"])(
    "%j was never given out",
    async (since) => {
      const { t } = await start();
      await expect(t.poll("alice", { since })).rejects.toMatchObject({
        errcode: "M_INVALID_PARAM",
        status: 400,
      });
    },
  );

  test("of a database that is older now gives everything anew, at once", async () => {
    const { t, roomId } = await start();
    const { next_batch } = await t.poll("alice", { filter: limit(50) });
    const since = positionToken(t.storage.position + 100);
    const answer = await t.poll("alice", { since, timeout: 3_600_000, filter: limit(50) });
    expect(Number(answer.next_batch.slice(1))).toBeGreaterThanOrEqual(Number(next_batch.slice(1)));
    const { timeline } = answer.rooms.join[roomId]!;
    expect(timeline.events[0]!.type).toBe("m.room.create");
    // So that the client drops what it has.
    expect(timeline.limited).toBe(true);
  });
});

describe("account data", () => {
  test("comes when it changes, global and of a room, and push rules from the first", async () => {
    const { t, roomId } = await start();
    const rules = { type: "m.push_rules", content: { global: { of: t.id("alice") } } };
    await t.accountData.set(t.id("alice"), null, "m.direct", { x: 1 });
    await t.accountData.set(t.id("alice"), roomId, "m.tag", { tags: { a: {} } });
    await t.accountData.set(t.id("bob"), null, "m.direct", { not: "alice's" });
    const first = await t.poll("alice");
    expect(first.account_data.events).toEqual([{ type: "m.direct", content: { x: 1 } }, rules]);
    const tag = { type: "m.tag", content: { tags: { a: {} } } };
    expect(first.rooms.join[roomId]!.account_data.events).toEqual([tag]);
    await t.accountData.set(t.id("alice"), null, "m.push_rules", { stored: true });
    const second = await t.poll("alice", { since: first.next_batch });
    expect(second.account_data.events).toEqual([rules]);
    const filter = { account_data: { not_types: ["*"] }, room: { account_data: { types: [] } } };
    const filtered = await t.poll("alice", { filter });
    expect(filtered.account_data.events).toEqual([]);
    expect(filtered.rooms.join[roomId]!.account_data.events).toEqual([]);
  });

  test("of a room that is entered comes with it, however old", async () => {
    const { t } = await start();
    const roomId = await t.create("bob");
    await t.accountData.set(t.id("alice"), roomId, "m.tag", { tags: { a: {} } });
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "join", roomId);
    const room = (await t.poll("alice", { since: next_batch })).rooms.join[roomId]!;
    expect(room.account_data.events).toEqual([{ type: "m.tag", content: { tags: { a: {} } } }]);
  });
});

describe("ephemeral events", () => {
  test("who types, and that nobody does any more, but not of rooms just entered", async () => {
    const { t, roomId, since } = await start();
    const nid = await t.nid(roomId);
    await t.typing.set(nid, [t.id("bob")]);
    const typing = await t.poll("alice", { since });
    const ephemeral = (answer: typeof typing) => answer.rooms.join[roomId]?.ephemeral.events;
    expect(ephemeral(typing)).toEqual([{ type: "m.typing", content: { user_ids: [t.id("bob")] } }]);
    expect(ephemeral(await t.poll("alice"))).toEqual(ephemeral(typing));
    await t.typing.set(nid, []);
    const stopped = await t.poll("alice", { since: typing.next_batch });
    expect(ephemeral(stopped)).toEqual([{ type: "m.typing", content: { user_ids: [] } }]);
    expect(ephemeral(await t.poll("alice"))).toEqual([]);
    const filter = { room: { ephemeral: { not_types: ["m.typing"] } } };
    expect(ephemeral(await t.poll("alice", { since: typing.next_batch, filter }))).toBeUndefined();
  });

  test("receipts in one event, by event, type and user; others' private ones not at all", async () => {
    const { t, roomId, since } = await start();
    const nid = await t.nid(roomId);
    await t.receipts.set(nid, t.id("bob"), "$1", { ts: 5 });
    await t.receipts.set(nid, t.id("carol"), "$1", { ts: 6, thread: "main" });
    await t.receipts.set(nid, t.id("carol"), "$2", { ts: 7, thread: "$root" });
    await t.receipts.set(nid, t.id("bob"), "$2", { type: "m.read.private" });
    await t.receipts.set(nid, t.id("alice"), "$2", { type: "m.read.private", ts: 8 });
    const { events } = (await t.poll("alice", { since })).rooms.join[roomId]!.ephemeral;
    expect(events).toEqual([
      {
        type: "m.receipt",
        content: {
          $1: { "m.read": { [t.id("bob")]: { ts: 5 }, [t.id("carol")]: { ts: 6, thread_id: "main" } } },
          $2: {
            "m.read": { [t.id("carol")]: { ts: 7, thread_id: "$root" } },
            "m.read.private": { [t.id("alice")]: { ts: 8 } },
          },
        },
      },
    ]);
  });

  test("a receipt in a thread and one outside on the same event are both told", async () => {
    const { t, roomId, since } = await start();
    const nid = await t.nid(roomId);
    await t.receipts.set(nid, t.id("bob"), "$1", { ts: 5 });
    await t.receipts.set(nid, t.id("bob"), "$1", { ts: 6, thread: "main" });
    const { events } = (await t.poll("alice", { since })).rooms.join[roomId]!.ephemeral;
    expect(events.map((event) => event.content)).toEqual([
      { $1: { "m.read": { [t.id("bob")]: { ts: 5 } } } },
      { $1: { "m.read": { [t.id("bob")]: { ts: 6, thread_id: "main" } } } },
    ]);
  });
});

describe("unread counts", () => {
  test("with threads apart for clients that know threads, else in one number", async () => {
    const { t, roomId, since } = await start();
    const thread = { notification_count: 2, highlight_count: 1 };
    const key = `${t.id("alice")} ${await t.nid(roomId)}`;
    t.push.unread.set(key, { notification_count: 3, highlight_count: 0, threads: { $root: thread } });
    await t.say("bob", roomId, "hi");
    const room = async (filter: JsonObject) =>
      (await t.poll("alice", { since, filter: { room: { timeline: filter } } })).rooms.join[roomId]!;
    const plain = await room({});
    expect(plain.unread_notifications).toEqual({ notification_count: 5, highlight_count: 1 });
    expect(plain).not.toHaveProperty("unread_thread_notifications");
    const threaded = await room({ unread_thread_notifications: true });
    expect(threaded.unread_notifications).toEqual({ notification_count: 3, highlight_count: 0 });
    expect(threaded.unread_thread_notifications).toEqual({ $root: thread });
  });

  test("are judged up to the answer's position before it is made", async () => {
    const { t, since } = await start();
    const { next_batch } = await t.poll("alice", { since });
    expect(t.push.caughtUpTo.at(-1)).toBe(Number(next_batch.slice(1)));
  });

  test("come when one reads on another device, also to a client that wants no receipts", async () => {
    const { t, roomId, since } = await start();
    await t.receipts.set(await t.nid(roomId), t.id("alice"), "$1");
    const filter = { room: { ephemeral: { types: [] } } };
    const room = (await t.poll("alice", { since, filter })).rooms.join[roomId]!;
    expect(room.unread_notifications).toEqual({ notification_count: 0, highlight_count: 0 });
    expect(room.ephemeral.events).toEqual([]);
  });
});

describe("presence", () => {
  const senders = (answer: Awaited<ReturnType<TestSync["poll"]>>) =>
    answer.presence.events.map((event) => event.sender);

  test("of those who share a room, when it changes; filtered", async () => {
    const { t, since } = await start();
    await t.presence.set(t.id("bob"), "online");
    await t.presence.set(t.id("stranger"), "online");
    const answer = await t.poll("alice", { since });
    expect(senders(answer)).toContain(t.id("bob"));
    expect(senders(answer)).not.toContain(t.id("stranger"));
    const filter = { presence: { not_senders: [t.id("bob")] } };
    expect(senders(await t.poll("alice", { since, filter }))).not.toContain(t.id("bob"));
  });

  test("of those who are new to a room, and of those in a room that one enters, though it is old", async () => {
    const { t, roomId } = await start();
    const other = await t.create("carol");
    for (const who of ["carol", "dave"]) await t.presence.set(t.id(who), "online");
    const first = await t.poll("alice");
    expect(senders(first)).not.toContain(t.id("carol"));
    await t.act("alice", "join", other);
    const second = await t.poll("alice", { since: first.next_batch });
    expect(senders(second)).toContain(t.id("carol"));
    await t.act("dave", "join", roomId);
    const third = await t.poll("alice", { since: second.next_batch });
    expect(senders(third)).toContain(t.id("dave"));
    expect(senders(third)).not.toContain(t.id("carol"));
  });
});

describe("ignored users", () => {
  test("their messages are left out, their state events are not", async () => {
    const { t, roomId } = await start();
    await t.act("mallory", "join", roomId);
    await t.accountData.set(t.id("alice"), null, "m.ignored_user_list", {
      ignored_users: { [t.id("mallory")]: {} },
    });
    const { next_batch } = await t.poll("alice");
    await t.say("mallory", roomId, "spam");
    await t.act("mallory", "leave", roomId);
    await t.say("bob", roomId, "hi");
    await t.typing.set(await t.nid(roomId), [t.id("mallory"), t.id("bob")]);
    const room = (await t.poll("alice", { since: next_batch })).rooms.join[roomId]!;
    expect(room.timeline.events.map((event) => event.type)).toEqual(["m.room.member", "m.room.message"]);
    expect(texts(room.timeline)).toEqual(["hi"]);
    expect(room.ephemeral.events).toEqual([{ type: "m.typing", content: { user_ids: [t.id("bob")] } }]);
    expect(texts((await t.poll("bob", { filter: limit(50) })).rooms.join[roomId]!.timeline)).toContain(
      "spam",
    );
  });

  test("older events take the place of theirs, and the state is that before the oldest", async () => {
    const { t, roomId } = await start();
    await t.act("mallory", "join", roomId);
    await t.accountData.set(t.id("alice"), null, "m.ignored_user_list", {
      ignored_users: { [t.id("mallory")]: {} },
    });
    await t.setState("bob", roomId, "m.room.topic", { topic: "then" });
    await t.say("bob", roomId, "hi");
    await t.say("mallory", roomId, "spam");
    await t.setState("bob", roomId, "m.room.topic", { topic: "now" });
    const room = (await t.poll("alice", { filter: limit(2) })).rooms.join[roomId]!;
    expect(room.timeline.events.map((event) => event.type)).toEqual(["m.room.message", "m.room.topic"]);
    const topic = room.state!.events.find((event) => event.type === "m.room.topic");
    expect(topic?.content).toEqual({ topic: "then" });
  });

  test("a change of the list counts from the next sync on", async () => {
    const { t, roomId } = await start();
    const ignore = (ignored_users: object) =>
      t.accountData.set(t.id("alice"), null, "m.ignored_user_list", { ignored_users: { ...ignored_users } });
    await t.act("mallory", "join", roomId);
    await ignore({ [t.id("mallory")]: {} });
    await t.say("mallory", roomId, "spam");
    const first = await t.poll("alice");
    expect(texts(first.rooms.join[roomId]!.timeline)).toEqual([]);
    await ignore({});
    await t.say("mallory", roomId, "sorry");
    const second = await t.poll("alice", { since: first.next_batch });
    expect(texts(second.rooms.join[roomId]!.timeline)).toEqual(["sorry"]);
  });
});
