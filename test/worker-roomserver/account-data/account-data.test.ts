import { describe, expect, test } from "vitest";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import { openAccountData } from "../../../src/worker-roomserver/account-data/open.ts";
import { refusal, requester } from "../support/requester.ts";
import { dump, type TestStorage, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");
const me = alice.userId;
const room = "!r:h";

async function open(): Promise<{ storage: TestStorage; data: ReturnType<typeof openAccountData> }> {
  const storage = await testStorage();
  return { storage, data: openAccountData({ storage }) };
}

describe("account data", () => {
  test("is kept per type, globally and per room", async () => {
    const { storage, data } = await open();
    await data.set(alice, me, null, "a", { x: 1 });
    await data.set(alice, me, room, "a", { x: 2 });
    await data.set(alice, me, null, "a", { x: 3, constructor: {} });
    expect(await data.get(alice, me, null, "a")).toEqual({ x: 3, constructor: {} });
    expect(await data.get(alice, me, room, "a")).toEqual({ x: 2 });
    expect(await openAccountData({ storage }).get(alice, me, room, "a")).toEqual({ x: 2 });
    expect(await refusal(data.get(alice, me, room, "b"))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
    expect(await refusal(data.get(alice, me, "!other:h", "a"))).toEqual({
      errcode: "M_NOT_FOUND",
      status: 404,
    });
  });

  test("tells readers what has changed, and what it is now", async () => {
    const { data } = await open();
    await data.set(alice, me, null, "a", { x: 1 });
    await data.set(bob, bob.userId, null, "a", { x: 2 });
    await data.set(alice, me, room, "b", {});
    await data.set(alice, me, null, "a", { x: 3 });
    expect(await data.changed(me, 0, 4)).toEqual([
      { roomId: room, type: "b", content: {}, position: 3 },
      { roomId: null, type: "a", content: { x: 3 }, position: 4 },
    ]);
    expect((await data.changed(me, 3, 4)).map(({ type }) => type)).toEqual(["a"]);
    expect((await data.changed(me, 1, 3)).map(({ type }) => type)).toEqual(["b"]);
    expect(await data.changed(me, 4, 4)).toEqual([]);
    expect(await data.changed("@nobody:h", 0, 4)).toEqual([]);
  });

  test("gives components what is stored globally", async () => {
    const { data } = await open();
    await data.set(alice, me, room, "a", { x: 1 });
    expect(await data.stored(me, "a")).toBeUndefined();
    await data.set(alice, me, null, "a", { x: 2 });
    expect(await data.stored(me, "a")).toEqual({ x: 2 });
  });

  test("is nobody else's business, and a refusal changes nothing", async () => {
    const { storage, data } = await open();
    await data.set(alice, me, null, "a", {});
    const before = await dump(storage);
    const forbidden = { errcode: "M_FORBIDDEN", status: 403 };
    expect(await refusal(data.get(bob, me, null, "a"))).toEqual(forbidden);
    expect(await refusal(data.set(bob, me, null, "a", {}))).toEqual(forbidden);
    expect(await refusal(data.tags(bob, me, room))).toEqual(forbidden);
    expect(await refusal(data.setTag(bob, me, room, "t", {}))).toEqual(forbidden);
    expect(await refusal(data.deleteTag(bob, me, room, "t"))).toEqual(forbidden);
    expect(await refusal(data.createFilter(bob, me, {}))).toEqual(forbidden);
    expect(await refusal(data.getFilter(bob, me, "x"))).toEqual(forbidden);
    expect(await dump(storage)).toEqual(before);
  });

  test.each([
    ["m.fully_read", null],
    ["m.fully_read", room],
    ["m.push_rules", null],
    ["m.push_rules", room],
  ])("%s in %s is set by the server only", async (type, roomId) => {
    const { data } = await open();
    expect(await refusal(data.set(alice, me, roomId, type, {}))).toEqual({
      errcode: "M_BAD_JSON",
      status: 405,
    });
  });

  test("wants room ids that are ones", async () => {
    const { data } = await open();
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(await refusal(data.set(alice, me, "r", "a", {}))).toEqual(invalid);
    expect(await refusal(data.get(alice, me, "r", "a"))).toEqual(invalid);
    expect(await refusal(data.setTag(alice, me, "r", "a", {}))).toEqual(invalid);
  });

  test("has push rules before any was changed", async () => {
    const { data } = await open();
    expect(await data.get(alice, me, null, "m.push_rules")).toEqual({ global: defaultRuleset(me) });
    expect(await refusal(data.get(alice, me, room, "m.push_rules"))).toEqual({
      errcode: "M_NOT_FOUND",
      status: 404,
    });
  });
});

describe("tags", () => {
  test("are added, replaced and removed", async () => {
    const { data } = await open();
    expect(await data.tags(alice, me, room)).toEqual({ tags: {} });
    await data.setTag(alice, me, room, "u.work", { order: 0.5 });
    await data.setTag(alice, me, room, "m.favourite", {});
    await data.setTag(alice, me, room, "u.work", { order: 0.7, extra: true });
    expect(await data.tags(alice, me, room)).toEqual({
      tags: { "u.work": { order: 0.7, extra: true }, "m.favourite": {} },
    });
    await data.deleteTag(alice, me, room, "u.work");
    expect(await data.get(alice, me, room, "m.tag")).toEqual({ tags: { "m.favourite": {} } });
  });

  test("set at the same time are all kept", async () => {
    const { data } = await open();
    const names = ["a", "b", "c", "__proto__", "constructor"];
    await Promise.all(names.map((name) => data.setTag(alice, me, room, name, {})));
    expect(Object.keys((await data.tags(alice, me, room)).tags).sort()).toEqual([...names].sort());
  });

  test("survive what a client has written as m.tag", async () => {
    const { data } = await open();
    await data.set(alice, me, room, "m.tag", { tags: 1, other: 2 });
    await data.deleteTag(alice, me, room, "a");
    await data.setTag(alice, me, room, "a", {});
    expect(await data.get(alice, me, room, "m.tag")).toEqual({ tags: { a: {} }, other: 2 });
  });

  test("removing one that is not there writes nothing", async () => {
    const { storage, data } = await open();
    await data.setTag(alice, me, room, "a", {});
    const before = await dump(storage);
    await data.deleteTag(alice, me, room, "b");
    await data.deleteTag(alice, me, "!other:h", "a");
    expect(await dump(storage)).toEqual(before);
  });

  test("have names of 255 bytes at most, and orders that are numbers", async () => {
    const { data } = await open();
    await data.setTag(alice, me, room, "é".repeat(127), {});
    const tooLong = data.setTag(alice, me, room, "é".repeat(128), {});
    expect(await refusal(tooLong)).toEqual({ errcode: "M_INVALID_PARAM", status: 400 });
    const badOrder = data.setTag(alice, me, room, "a", { order: "1" });
    expect(await refusal(badOrder)).toEqual({ errcode: "M_BAD_JSON", status: 400 });
    expect(Object.keys((await data.tags(alice, me, room)).tags)).toHaveLength(1);
  });
});

describe("filters", () => {
  test("are found by their content", async () => {
    const { data } = await open();
    const filter = { room: { timeline: { limit: 10, types: ["m.room.*"] } }, "org.example.x": 1.5 };
    const { filter_id } = await data.createFilter(alice, me, filter);
    const reordered = { "org.example.x": 1.5, room: { timeline: { types: ["m.room.*"], limit: 10 } } };
    expect(await data.createFilter(alice, me, reordered)).toEqual({ filter_id });
    expect(await data.createFilter(alice, me, {})).not.toEqual({ filter_id });
    expect(await data.getFilter(alice, me, filter_id)).toEqual(filter);
    expect(await data.filter(me, filter_id)).toEqual(filter);
    expect(filter_id).toMatch(/^[A-Za-z0-9_-]{16}$/);
  });

  test("are their owner's alone", async () => {
    const { data } = await open();
    const { filter_id } = await data.createFilter(alice, me, {});
    const missing = { errcode: "M_NOT_FOUND", status: 404 };
    expect(await refusal(data.getFilter(bob, bob.userId, filter_id))).toEqual(missing);
    expect(await refusal(data.getFilter(alice, me, "0"))).toEqual(missing);
  });

  test.each([
    [{ presence: "not_an_object" }],
    [{ room: { timeline: { rooms: "not_a_list" } } }],
    [{ room: { timeline: { rooms: ["not_a_room_id"] } } }],
    [{ room: { timeline: { senders: ["not_a_user_id"] } } }],
    [{ room: { timeline: { types: [1] } } }],
    [{ event_format: "other" }],
  ])("%j is none", async (filter) => {
    const { storage, data } = await open();
    const refused = data.createFilter(alice, me, filter);
    expect(await refusal(refused)).toEqual({ errcode: "M_BAD_JSON", status: 400 });
    expect((await dump(storage)).filters).toEqual([]);
  });
});
