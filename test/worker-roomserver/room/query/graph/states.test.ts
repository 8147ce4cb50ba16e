import { describe, expect, test } from "vitest";
import { Story } from "../../../../reference/story.ts";
import { refusal } from "../../../support/requester.ts";
import { testRooms } from "../../../support/room.ts";
import { AskedRoom, asking } from "./asked-room.ts";

const notFound = { errcode: "M_NOT_FOUND", status: 404 };

describe("where there is no state", () => {
  test.each(["12", "11", "1"])("an outlier of version %s", async (version) => {
    const story = new Story(version);
    story.message("outlier", "@alice:a.example");
    const room = await AskedRoom.of(story, story.names.slice(0, -1));
    await room.takeIn(["outlier"], { as: "outlier" });
    const ask = await room.ask();
    expect(room.names(await ask.eventsById(room.ids("outlier")))).toEqual(["outlier"]);
    const { roomId } = room;
    expect(await refusal(ask.stateAt(roomId, room.id("outlier"), { when: "before" }))).toEqual(notFound);
    expect(await refusal(ask.stateIdsAt(roomId, room.id("outlier")))).toEqual(notFound);
    expect(await refusal(ask.membershipAt(roomId, room.id("outlier"), "@bob:b.example"))).toEqual(notFound);
  });

  test("an event that is not known, or not in this room, and a room that is not known", async () => {
    const room = await AskedRoom.of(new Story("11"));
    const ask = await room.ask();
    const asked: [roomId: string, eventId: string][] = [
      [room.roomId, "$unknown"],
      [room.roomId, ""],
      ["!other:a.example", room.id("bob")],
      ["", room.id("bob")],
    ];
    for (const [roomId, eventId] of asked) {
      expect(await refusal(ask.stateAt(roomId, eventId, { when: "after" }))).toEqual(notFound);
      expect(await refusal(ask.stateIdsAt(roomId, eventId))).toEqual(notFound);
      expect(await refusal(ask.authChain(roomId, [room.id("alice"), eventId]))).toEqual(notFound);
      expect(await refusal(ask.membershipAt(roomId, eventId, "@bob:b.example"))).toEqual(notFound);
    }
    expect(await refusal(ask.latest("!other:a.example", []))).toEqual(notFound);
  });
});

test("entries and whole types of a state can be asked for together; each event is answered once", async () => {
  const room = await AskedRoom.of(new Story("11"));
  const events = await (await room.ask()).stateAt(room.roomId, room.id("carol"), {
    when: "before",
    keys: [
      ["m.room.member"],
      ["m.room.member", "@bob:b.example"],
      ["m.room.member", "@carol:c.example"],
      ["m.room.create", ""],
      ["org.example.none"],
      ["org.example.none", ""],
    ],
  });
  expect(room.names(events).toSorted()).toEqual(["alice", "bob", "create"]);
});

test("who has never been in the room has the membership leave", async () => {
  const story = new Story("11");
  story.message("end", "@alice:a.example");
  const room = await AskedRoom.of(story);
  const at = await (await room.ask()).membershipAt(room.roomId, room.id("end"), "@nobody:n.example");
  expect(at).toEqual({ before: "leave", after: "leave" });
});

test("of more forward extremities than an event may name, the deepest are named", async () => {
  const story = new Story("11");
  const depths = Array.from({ length: 30 }, (_, i) => 10 + ((i * 7) % 30));
  for (const depth of depths) story.message(`d${depth}`, "@bob:b.example", { after: ["carol"], depth });
  const room = await AskedRoom.of(story);
  const { extremities, depth } = await (await room.ask()).latest(room.roomId, []);
  expect(room.names(extremities)).toEqual(Array.from({ length: 20 }, (_, i) => `d${39 - i}`));
  expect(depth).toBe(39);
});

test("an entry of any old state takes fewer than 20 reads", async () => {
  const t = await testRooms();
  const alice = t.user("alice");
  const { room_id: roomId } = await t.rooms.createRoom(t.request(), alice, {});
  const sent: string[] = [];
  for (let i = 0; i < 600; i++) {
    const state = { roomId, type: "org.example.note", stateKey: `${i}`, content: { i } };
    sent.push((await t.rooms.setState(t.request(), alice, state)).event_id);
  }
  let most = 0;
  for (let i = 0; i < 600; i += 20) {
    const { ask, reads } = await asking(t);
    const [first] = await ask.stateAt(roomId, sent[i]!, { when: "after", keys: [["org.example.note", "0"]] });
    expect(first?.eventId).toBe(sent[0]);
    most = Math.max(most, reads());
  }
  expect(most).toBeLessThan(20);
});

test("the state ids of a large room take a read for each thousand events", async () => {
  const t = await testRooms();
  const alice = t.user("alice");
  const { room_id: roomId } = await t.rooms.createRoom(t.request(), alice, {});
  let last = "";
  for (let i = 0; i < 300; i++) {
    const state = { roomId, type: "org.example.note", stateKey: `${i}`, content: {} };
    last = (await t.rooms.setState(t.request(), alice, state)).event_id;
  }
  const { ask, reads } = await asking(t);
  const { pduIds } = await ask.stateIdsAt(roomId, last);
  expect(pduIds.length).toBeGreaterThan(300);
  expect(pduIds).not.toContain(last);
  expect(reads()).toBeLessThan(30);
});

test("from version 12 on the create event is in the chain of all others, and in none of its own", async () => {
  const room = await AskedRoom.of(new Story("12"));
  const ask = await room.ask();
  const chain = await ask.authChain(room.roomId, room.ids("alice"));
  expect(room.names(chain)).toEqual(["create"]);
  expect(await ask.authChain(room.roomId, room.ids("create"))).toEqual([]);
  const { pduIds, authChainIds } = await ask.stateIdsAt(room.roomId, room.id("alice"));
  expect([pduIds, authChainIds]).toEqual([room.ids("create"), []]);
});

test("the auth chain of a message and of a rejected event", async () => {
  const story = new Story("11");
  story.message("message", "@bob:b.example");
  story.member("rejected", "@bob:b.example", "ban", { of: "@alice:a.example" });
  const room = await AskedRoom.of(story);
  const ask = await room.ask();
  for (const name of ["message", "rejected"]) {
    const chain = room.names(await ask.authChain(room.roomId, room.ids(name)));
    expect(chain.toSorted()).toEqual(["alice", "bob", "create", "levels", "public"]);
  }
});

test("the auth chain of a rejected event that cites rejected ones", async () => {
  const story = new Story("11");
  story.member("left", "@bob:b.example", "leave");
  story.member("rejected", "@bob:b.example", "ban", { of: "@alice:a.example" });
  story.message("rejected too", "@alice:a.example", { auth: ["levels", "rejected"] });
  const room = await AskedRoom.of(story);
  const chain = room.names(await (await room.ask()).authChain(room.roomId, room.ids("rejected too")));
  expect(chain.toSorted()).toEqual(["alice", "bob", "create", "left", "levels", "public", "rejected"]);
});

describe("the event nearest to a time", () => {
  const second = (number: number) => number * 1000;

  test("at it, before it, after it, and beyond the ends", async () => {
    const story = new Story("11");
    story.message("ten", "@alice:a.example", { time: 10 });
    story.message("twenty", "@alice:a.example", { time: 20 });
    const room = await AskedRoom.of(story);
    const ask = await room.ask();
    const near = async (ts: number, dir: "f" | "b") => {
      const event = await ask.eventNear(room.roomId, ts, dir);
      return room.story.nameOf(event?.eventId);
    };
    expect(await near(second(10), "f")).toBe("ten");
    expect(await near(second(10), "b")).toBe("ten");
    expect(await near(second(10) + 1, "f")).toBe("twenty");
    expect(await near(second(20) - 1, "b")).toBe("ten");
    expect(await near(second(20) + 1, "f")).toBeUndefined();
    expect(await near(-1, "b")).toBeUndefined();
    expect(await near(-1, "f")).toBe("create");
    expect(await near(Number.MAX_SAFE_INTEGER, "b")).toBe("twenty");
  });

  test("is none that was rejected or soft-failed, nor one of another room", async () => {
    const story = new Story("11");
    story.member("ban", "@alice:a.example", "ban", { of: "@carol:c.example", time: 9 });
    story.message("message", "@alice:a.example", { time: 10 });
    story.message("rejected", "@mallory:m.example", { time: 20 });
    story.message("soft-failed", "@carol:c.example", { after: ["carol"], time: 21 });
    const room = await AskedRoom.of(story);
    await room.t.rooms.createRoom(room.t.request(), room.t.user("alice"), {});
    const ask = await room.ask();
    expect((await ask.eventNear(room.roomId, second(30), "b"))?.eventId).toBe(room.id("message"));
    expect(await ask.eventNear(room.roomId, second(11), "f")).toBeUndefined();
  });

  test("says whether history is missing beside it", async () => {
    const story = new Story("11");
    story.message("before", "@alice:a.example", { time: 10 });
    story.message("missing", "@alice:a.example", { time: 20 });
    story.message("after", "@alice:a.example", { time: 30 });
    story.message("end", "@alice:a.example", { time: 40 });
    const known = ["create", "alice", "levels", "public", "bob", "carol"];
    const room = await AskedRoom.of(story, [...known, "before"]);
    const statesBefore = { [room.id("after")]: room.ids(...known) };
    await room.takeIn(["after"], { statesBefore });
    await room.takeIn(["end"]);
    const near = async (time: number, dir: "f" | "b") => {
      const event = await (await room.ask()).eventNear(room.roomId, second(time), dir);
      return [room.story.nameOf(event?.eventId), event?.isNextToGap];
    };
    expect(await near(25, "b")).toEqual(["before", true]);
    expect(await near(25, "f")).toEqual(["after", true]);
    expect(await near(35, "f")).toEqual(["end", false]);
    expect(await near(9, "b")).toEqual(["carol", false]);
    await room.takeIn(["missing"], { as: "history" });
    expect(await near(25, "b")).toEqual(["missing", false]);
    expect(await near(25, "f")).toEqual(["after", false]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("is not asked for at %d", async (ts) => {
    const room = await AskedRoom.of(new Story("11"));
    const ask = await room.ask();
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(await refusal(ask.eventNear(room.roomId, ts, "f"))).toEqual(invalid);
  });
});
