import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { keys, limit, type TestSync, testSync, texts } from "./support/sync.ts";

const messagesOnly = (number: number): JsonObject => ({
  room: { timeline: { types: ["m.room.message"], limit: number } },
});
const lazy = (number: number, more: JsonObject = {}): JsonObject => ({
  room: { timeline: { limit: number }, state: { lazy_load_members: true, ...more } },
});

async function roomOf(...users: string[]): Promise<{ t: TestSync; roomId: string }> {
  const t = await testSync();
  const [creator = "bob", ...others] = users;
  const roomId = await t.create(creator);
  for (const user of others) await t.act(user, "join", roomId);
  return { t, roomId };
}

const members = (t: TestSync, ...users: string[]) =>
  users.map((user) => `m.room.member|${t.id(user)}`).sort();
const membersIn = (state: Parameters<typeof keys>[0]) => keys(state)?.filter((key) => key.includes("member"));

describe("state after the timeline", () => {
  test.each(["state_after", "org.matrix.msc4222.state_after"] as const)("as %s", async (stateSection) => {
    const { t, roomId } = await roomOf("bob");
    const { next_batch } = await t.poll("bob");
    await t.setState("bob", roomId, "m.room.topic", { topic: "in the gap" });
    await t.say("bob", roomId, "one");
    await t.setState("bob", roomId, "m.room.name", { name: "in the timeline" });
    const query = { since: next_batch, filter: limit(2), stateSection };
    const room = (await t.poll("bob", query)).rooms.join[roomId]!;
    expect(keys(room[stateSection])).toEqual(["m.room.name", "m.room.topic"]);
    expect(room).not.toHaveProperty("state");
  });

  test("is there though empty", async () => {
    const { t, roomId } = await roomOf("bob");
    const { next_batch } = await t.poll("bob");
    await t.say("bob", roomId, "one");
    const room = (await t.poll("bob", { since: next_batch, stateSection: "state_after" })).rooms.join[
      roomId
    ]!;
    expect(room.state_after).toEqual({ events: [] });
  });

  test("on a first sync it is the whole state at the end", async () => {
    const { t, roomId } = await roomOf("bob");
    await t.setState("bob", roomId, "m.room.name", { name: "one" });
    const last = await t.setState("bob", roomId, "m.room.name", { name: "two" });
    const room = (await t.poll("bob", { stateSection: "state_after", filter: limit(50) })).rooms.join[
      roomId
    ]!;
    const names = room.state_after!.events.filter((event) => event.type === "m.room.name");
    expect(names.map((event) => event.event_id)).toEqual([last]);
    expect(keys(room.state_after)).toContain("m.room.create");
  });

  test("of a left room ends with the leave", async () => {
    const { t, roomId } = await roomOf("bob", "alice");
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    await t.setState("bob", roomId, "m.room.topic", { topic: "not for alice" });
    const query = { since: next_batch, stateSection: "state_after" } as const;
    const room = (await t.poll("alice", query)).rooms.leave[roomId]!;
    expect(keys(room.state_after)).toEqual(members(t, "alice"));
  });

  test("of an invite that was declined has the decline, and nothing else of the room", async () => {
    const { t, roomId } = await roomOf("bob");
    await t.act("bob", "invite", roomId, "alice");
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    const query = { since: next_batch, stateSection: "state_after" } as const;
    const room = (await t.poll("alice", query)).rooms.leave[roomId]!;
    expect(keys(room.state_after)).toEqual(members(t, "alice"));
    const classic = (await t.poll("alice", { since: next_batch })).rooms.leave[roomId]!;
    expect(classic.state).toEqual({ events: [] });
  });
});

describe("what the timeline's filter hides", () => {
  test("is made up for in the state", async () => {
    const { t, roomId } = await roomOf("bob");
    const { next_batch } = await t.poll("bob", { filter: messagesOnly(10) });
    await t.say("bob", roomId, "one");
    await t.setState("bob", roomId, "m.room.name", { name: "hidden" });
    const query = { since: next_batch, filter: messagesOnly(10) };
    const room = (await t.poll("bob", query)).rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["one"]);
    expect(room.timeline.limited).toBe(false);
    expect(keys(room.state)).toEqual(["m.room.name"]);
  });

  test("makes room for older events that pass", async () => {
    const { t, roomId } = await roomOf("bob");
    await t.say("bob", roomId, "old");
    for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
      await t.setState("bob", roomId, "m.room.name", { name });
    }
    const room = (await t.poll("bob", { filter: messagesOnly(1) })).rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["old"]);
    const { events } = room.state!;
    expect(events.find((event) => event.type === "m.room.name")?.content.name).toBe("h");
  });

  test("everything: the timeline is empty and not limited, the state that of the end", async () => {
    const { t, roomId } = await roomOf("bob");
    await t.setState("bob", roomId, "m.room.name", { name: "Den" });
    for (const timeline of [{ types: [] }, { limit: 0 }, { not_types: ["*"] }]) {
      const room = (await t.poll("bob", { filter: { room: { timeline } } })).rooms.join[roomId]!;
      expect(room.timeline.events).toEqual([]);
      expect(room.timeline.limited).toBe(false);
      expect(keys(room.state)).toContain("m.room.name");
    }
  });
});

describe("filters", () => {
  test("of the state, rooms, fields and format", async () => {
    const { t, roomId } = await roomOf("bob");
    const other = await t.create("bob");
    await t.say("bob", roomId, "one");
    const filter = {
      event_fields: ["content.body", "event_id"],
      room: { rooms: [roomId], state: { types: ["m.room.c*"] }, timeline: { limit: 1 } },
    };
    const answer = await t.poll("bob", { filter });
    expect(Object.keys(answer.rooms.join)).toEqual([roomId]);
    const [event] = answer.rooms.join[roomId]!.timeline.events;
    expect(event).toEqual({ content: { body: "one" }, event_id: expect.any(String) });
    expect(answer.rooms.join[roomId]!.state!.events).toHaveLength(1);
    const notThere = await t.poll("bob", { filter: { room: { not_rooms: [roomId] } } });
    expect(Object.keys(notThere.rooms.join)).toEqual([other]);
  });

  test("in the federation format, events are as servers exchange them", async () => {
    const { t, roomId } = await roomOf("bob");
    const eventId = await t.say("bob", roomId, "one");
    const filter = { event_format: "federation", ...limit(1) };
    const [event] = (await t.poll("bob", { filter })).rooms.join[roomId]!.timeline.events;
    expect(event).toMatchObject({
      event_id: eventId,
      room_id: roomId,
      depth: expect.any(Number),
      auth_events: expect.any(Array),
      hashes: { sha256: expect.any(String) },
    });
  });

  test("are found by id, for their user only, and refused where they are none", async () => {
    const { t, roomId } = await roomOf("bob");
    t.accountData.filters.set(`${t.id("bob")} f1`, { room: { not_rooms: [roomId] } });
    const sync = (who: string, filter: string) =>
      t.sync.sync(
        t.user(who),
        { filter, fullState: false, setPresence: "offline", timeout: 0, stateSection: "state" },
        "s",
      );
    const answer = JSON.parse(new TextDecoder().decode(await sync("bob", "f1")));
    expect(answer.rooms.join).toEqual({});
    await expect(sync("carol", "f1")).rejects.toMatchObject({ errcode: "M_INVALID_PARAM", status: 400 });
    await expect(sync("bob", "{")).rejects.toMatchObject({ errcode: "M_NOT_JSON", status: 400 });
    await expect(sync("bob", '{"room": 1}')).rejects.toMatchObject({ errcode: "M_BAD_JSON", status: 400 });
  });
});

describe("lazy-loaded members", () => {
  test("are those who speak in the timeline, and oneself", async () => {
    const { t, roomId } = await roomOf("bob", "alice", "carol", "dave", "erin");
    await t.setState("bob", roomId, "m.room.name", { name: "Den" });
    await t.say("carol", roomId, "hi");
    const room = (await t.poll("alice", { filter: lazy(1) })).rooms.join[roomId]!;
    expect(membersIn(room.state)).toEqual(members(t, "alice", "carol"));
    expect(keys(room.state)).toContain("m.room.create");
  });

  test("and the heroes of a room without a name, with the numbers of members", async () => {
    const { t, roomId } = await roomOf("bob", "alice", "carol");
    await t.act("bob", "invite", roomId, "dave");
    await t.say("alice", roomId, "hi");
    const room = (await t.poll("alice", { filter: lazy(1) })).rooms.join[roomId]!;
    expect(room.summary).toEqual({
      "m.heroes": [t.id("bob"), t.id("carol"), t.id("dave")],
      "m.joined_member_count": 3,
      "m.invited_member_count": 1,
    });
    expect(membersIn(room.state)).toEqual(members(t, "alice", "bob", "carol", "dave"));
  });

  test("where all have gone, those who were there are the heroes", async () => {
    const { t, roomId } = await roomOf("alice", "bob");
    await t.act("bob", "leave", roomId);
    const room = (await t.poll("alice", { filter: lazy(1) })).rooms.join[roomId]!;
    expect(room.summary).toMatchObject({ "m.heroes": [t.id("bob")], "m.joined_member_count": 1 });
  });

  test("there are at most five heroes, the first to have come, and none in a room with a name", async () => {
    const { t, roomId } = await roomOf("alice", "u1", "u2", "u3", "u4", "u5", "u6");
    const heroes = async () =>
      (await t.poll("alice", { filter: lazy(1) })).rooms.join[roomId]!.summary!["m.heroes"];
    expect(await heroes()).toEqual(["u1", "u2", "u3", "u4", "u5"].map(t.id));
    await t.setState("alice", roomId, "m.room.name", { name: "" });
    expect(await heroes()).toHaveLength(5);
    await t.setState("alice", roomId, "m.room.name", { name: "Den" });
    expect(await heroes()).toBeUndefined();
  });

  test("the summary comes again when members or the name change, and only then", async () => {
    const { t, roomId } = await roomOf("alice", "bob");
    const filter = lazy(10);
    const next = async (since: string) => {
      const answer = await t.poll("alice", { since, filter });
      return { since: answer.next_batch, summary: answer.rooms.join[roomId]!.summary };
    };
    const { next_batch } = await t.poll("alice", { filter });
    await t.say("bob", roomId, "hi");
    const said = await next(next_batch);
    expect(said.summary).toBeUndefined();
    await t.act("carol", "join", roomId);
    const joined = await next(said.since);
    expect(joined.summary).toMatchObject({ "m.heroes": [t.id("bob"), t.id("carol")] });
    await t.setState("alice", roomId, "m.room.name", { name: "Den" });
    expect((await next(joined.since)).summary).toEqual({
      "m.joined_member_count": 3,
      "m.invited_member_count": 0,
    });
  });

  test("those who changed in a gap come whether they spoke or not", async () => {
    const { t, roomId } = await roomOf("bob", "alice", "carol");
    const { next_batch } = await t.poll("alice", { filter: lazy(1) });
    await t.act("dave", "join", roomId);
    await t.act("carol", "leave", roomId);
    await t.say("bob", roomId, "hi");
    const room = (await t.poll("alice", { since: next_batch, filter: lazy(1) })).rooms.join[roomId]!;
    expect(room.timeline.limited).toBe(true);
    expect(membersIn(room.state)).toEqual(expect.arrayContaining(members(t, "carol", "dave")));
  });

  test("with the state after the timeline, those who changed in the timeline come too", async () => {
    const { t, roomId } = await roomOf("bob", "alice");
    const { next_batch } = await t.poll("alice", { filter: lazy(10) });
    await t.act("carol", "join", roomId);
    const query = { since: next_batch, filter: lazy(10), stateSection: "state_after" } as const;
    const room = (await t.poll("alice", query)).rooms.join[roomId]!;
    expect(membersIn(room.state_after)).toEqual(expect.arrayContaining(members(t, "carol")));
  });

  test("without, everybody comes and there is no summary", async () => {
    const { t, roomId } = await roomOf("bob", "alice", "carol");
    await t.say("bob", roomId, "hi");
    const room = (await t.poll("alice", { filter: limit(1) })).rooms.join[roomId]!;
    expect(membersIn(room.state)).toEqual(members(t, "alice", "bob", "carol"));
    expect(room.summary).toBeUndefined();
  });
});
