import { describe, expect, test } from "vitest";
import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { makeEvent } from "../../../reference/make-event.ts";
import { diesAfterNextUnit } from "../../support/rounds.ts";
import { dump } from "../../support/storage.ts";
import { received } from "./hosted-room.ts";
import { opening, ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";
const zoe = "@zoe:z.example";
const members = Array.from({ length: 30 }, (_, i) => `member${i}`);

/** A room of thirty more, two of whom are not in it, that zoe joins. The topic has been another. */
async function joined(version: string): Promise<ToldRoom> {
  const room = await ToldRoom.of(version, "z.example");
  const { story } = room;
  for (const name of members) story.member(name, `@${name}:m.example`, "join");
  story.state("first", alice, "m.room.topic", { topic: "first" });
  story.member("gone", "@member0:m.example", "leave");
  story.member("banned", alice, "ban", { of: "@member1:m.example" });
  story.state("topic", alice, "m.room.topic", { topic: "second" });
  story.message("chat", "@member2:m.example");
  story.member("zoe", zoe, "join");
  return room;
}

const state = [...opening, ...members.slice(2), "gone", "banned", "topic"];

/** All that is stored, but for numbers of names, which say nothing. */
async function stored(room: ToldRoom): Promise<object> {
  const { names: _, nameTexts: __, ...stores } = await dump(room.server.storage);
  return stores;
}

describe.each(["1", "6", "11", "12"])("a whole room of version %s", (version) => {
  test("its state is there, its members, and what authorises them", async () => {
    const room = await joined(version);
    expect(await room.takeIn("zoe", state, ["member0", "member1"])).toMatchObject({ outcome: "accepted" });
    for (const view of [room, await room.reopened()]) {
      const { rooms } = view.server;
      const nid = await view.nid();
      const current = await rooms.events(await rooms.stateOf((await view.events())[0]!.current));
      const names = current.map(({ eventId }) => view.story.nameOf(eventId)!);
      expect(names.sort()).toEqual([...state, "zoe"].sort());
      expect((await rooms.usersIn(nid, "join")).length).toBe(32);
      expect(await rooms.usersIn(nid, "join")).toContain(zoe);
      expect(await rooms.usersIn(nid, "ban")).toEqual(["@member1:m.example"]);
      expect(await rooms.memberCounts(nid)).toEqual({ joined: 32, invited: 0 });
      expect((await rooms.membershipsOf(zoe)).map(({ membership }) => membership)).toEqual(["join"]);
      expect(await view.stored("member1")).toMatchObject({ isOutlier: true, status: 0 });
      expect(await view.timeline()).toEqual(["zoe"]);
      expect(await view.stored("zoe")).toMatchObject({ afterGap: true });
    }
  });

  test("it goes on, and who has joined can speak", async () => {
    const room = await joined(version);
    const { story } = room;
    await room.takeIn("zoe", state, ["member0", "member1"]);
    story.message("left", alice);
    story.message("right", "@member2:m.example", { after: ["zoe"] });
    expect(await room.outcomes(["left", "right"])).toEqual(["accepted", "accepted"]);
    expect(await room.extremities()).toEqual(["left", "right"]);
    const { rooms } = room.server;
    const { event_id: sent } = await rooms.sendEvent(room.server.user("zoe"), {
      roomId: room.roomId,
      type: "m.room.message",
      txnId: "1",
      content: { body: "hello" },
    });
    const event = (await rooms.eventById(sent))!;
    const previous = JSON.stringify(event.pdu.prev_events);
    expect(previous).toContain(room.id("left"));
    expect(previous).toContain(room.id("right"));
    expect(event.pdu.depth).toBe(1 + story.event("left").pdu.depth);
    expect(await room.extremities()).toEqual([sent]);
  });

  test("the same answer a second time changes nothing", async () => {
    const room = await joined(version);
    await room.takeIn("zoe", state, ["member0", "member1"]);
    const before = await stored(room);
    expect(await room.takeIn("zoe", state, ["member0", "member1"])).toMatchObject({ outcome: "duplicate" });
    expect(await stored(room)).toEqual(before);
  });

  test("all of it is there after a crash, or nothing", async () => {
    const room = await joined(version);
    const died = diesAfterNextUnit(room.server.storage);
    void room.takeIn("zoe", state, ["member0", "member1"]);
    await died;
    const next = await room.reopened();
    expect(await next.takeIn("zoe", state, ["member0", "member1"])).toMatchObject({ outcome: "duplicate" });
    expect(await next.server.rooms.memberCounts(await next.nid())).toEqual({ joined: 32, invited: 0 });
  });

  test("who comes back finds the room as it is now", async () => {
    const room = await joined(version);
    const { story } = room;
    await room.takeIn("zoe", state, ["member0", "member1"]);
    story.member("away", zoe, "leave");
    await room.receive(["away"]);
    story.state("third", alice, "m.room.topic", { topic: "third" });
    story.member("gone2", "@member2:m.example", "leave");
    story.member("newcomer", "@new:n.example", "join");
    story.message("unseen", alice);
    story.member("back", zoe, "join");
    const now = [
      ...state.filter((name) => name !== "member2" && name !== "topic"),
      "third",
      "gone2",
      "newcomer",
      "away",
    ];
    const before = await room.server.storage.position;
    expect(await room.takeIn("back", now, ["member0", "member1", "member2"])).toMatchObject({
      outcome: "accepted",
    });
    for (const view of [room, await room.reopened()]) {
      const { rooms } = view.server;
      expect(await view.entry("m.room.topic")).toBe("third");
      expect(await view.entry("m.room.member", zoe)).toBe("back");
      const nid = await view.nid();
      expect(await rooms.usersIn(nid, "join")).toContain("@new:n.example");
      expect(await rooms.usersIn(nid, "join")).not.toContain("@member2:m.example");
      expect((await rooms.membershipOf(zoe, nid))?.membership).toBe("join");
      expect(await view.timeline()).toEqual(["zoe", "away", "back"]);
    }
    const log = await room.log(before);
    expect(log.at(-1)).toBe("room back");
    expect(log).toContain("state newcomer");
    expect(log).toContain("state third");
  });

  test("what the auth events of the state do not allow is left out, and what hangs on it", async () => {
    const room = await joined(version);
    const { story } = room;
    story.state("forbidden", "@carol:c.example", "m.room.name", { name: "n" }, { after: ["chat"] });
    story.member("orphan", "@orphan:o.example", "join", { after: ["chat"] });
    story.state("promoted", alice, "m.room.power_levels", story.event("levels").pdu.content, {
      after: ["chat"],
    });
    story.member("hanging", "@hanging:o.example", "join", {
      after: ["chat"],
      auth: ["promoted", "public"],
    });
    const answer = [...state, "forbidden", "orphan", "hanging"];
    expect(await room.takeIn("zoe", answer, ["member0", "member1"])).toMatchObject({ outcome: "accepted" });
    expect(await room.stored("forbidden")).toBeUndefined();
    expect(await room.stored("hanging")).toBeUndefined();
    expect(await room.stored("orphan")).toMatchObject({ status: 0 });
    expect(await room.server.rooms.usersIn(await room.nid(), "join")).not.toContain("@hanging:o.example");
  });

  test("a join that the state does not allow leaves nothing behind", async () => {
    const room = await joined(version);
    const { story } = room;
    story.state("closed", alice, "m.room.join_rules", { join_rule: "invite" }, { after: ["chat"] });
    story.member("intruder", zoe, "join", { after: ["closed"] });
    story.member("blind", zoe, "join", { after: ["closed"], auth: ["levels", "public"] });
    const before = await stored(room);
    const closed = state.map((name) => (name === "public" ? "closed" : name));
    expect(await room.takeIn("intruder", closed, ["public"])).toMatchObject({ outcome: "rejected" });
    expect(await room.takeIn("blind", closed, ["public"])).toMatchObject({ outcome: "rejected" });
    // What it cites is not in the answer.
    expect(await room.takeIn("zoe", closed, [])).toMatchObject({ outcome: "rejected" });
    expect(await stored(room)).toEqual(before);
    await expect(room.receive(["alice"])).rejects.toMatchObject({ errcode: "M_NOT_FOUND", status: 404 });
  });

  test("of what was rejected here once there is one event when it comes with the room", async () => {
    const room = await joined(version);
    const { story } = room;
    await room.takeIn("zoe", state, ["member0", "member1"]);
    story.state("raised", alice, "m.room.power_levels", {
      users: { ...(version !== "12" && { [alice]: 100 }), "@carol:c.example": 50 },
    });
    story.state("named", "@carol:c.example", "m.room.name", { name: "n" });
    story.member("waits", alice, "ban", { of: "@member3:m.example" });
    await room.receive(["named", "waits"], { unobtainable: ["raised"], statesBefore: { named: state } });
    expect(await room.stored("named")).toMatchObject({ status: 1 });
    story.member("back", zoe, "join");
    const now = [...state.filter((name) => name !== "levels" && name !== "member3"), "raised", "named"];
    expect(
      await room.takeIn("back", [...now, "waits", "zoe"], ["levels", "member0", "member1", "member3"]),
    ).toMatchObject({ outcome: "accepted" });
    for (const view of [room, await room.reopened()]) {
      expect(await view.stored("named")).toMatchObject({ status: 0, isOutlier: true });
      expect(await view.entry("m.room.name")).toBe("named");
      expect(await view.entry("m.room.member", "@member3:m.example")).toBe("waits");
    }
    const { events, awaited } = await dump(room.server.storage);
    const ids = events!.map(([, row]) => (row as { id: string }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(awaited).toEqual([]);
  });
});

describe("what is no room", () => {
  const answer = (room: ToldRoom, change: object = {}) =>
    room.server.rooms.input.takeInRoom({
      version: room.story.rules.id,
      event: room.received("zoe"),
      state: state.map((name) => room.received(name)),
      authChain: ["member0", "member1"].map((name) => room.received(name)),
      ...change,
    });
  const badJson = { errcode: "M_BAD_JSON", status: 400 };

  test("a version that is not known", async () => {
    await expect(answer(await joined("11"), { version: "org.example.none" })).rejects.toMatchObject({
      errcode: "M_UNSUPPORTED_ROOM_VERSION",
      status: 400,
    });
  });

  test("a version that is not that of the create event", async () => {
    await expect(answer(await joined("11"), { version: "10" })).rejects.toMatchObject(badJson);
    await expect(answer(await joined("1"), { version: "2" })).rejects.toMatchObject(badJson);
  });

  test("no create event", async () => {
    const room = await joined("11");
    const without = state.filter((name) => name !== "create").map((name) => room.received(name));
    await expect(answer(room, { state: without })).rejects.toMatchObject(badJson);
    const named = await joined("12");
    const rest = state.filter((name) => name !== "create").map((name) => named.received(name));
    await expect(answer(named, { state: rest })).rejects.toMatchObject(badJson);
  });

  test("an event of another room", async () => {
    const room = await joined("12");
    const other = await joined("11");
    await expect(answer(room, { event: other.received("zoe") })).rejects.toMatchObject(badJson);
  });

  test("another create event than the one that is known here", async () => {
    const room = await joined("6");
    expect(await answer(room)).toMatchObject({ outcome: "accepted" });
    const second = makeEvent(
      room.story.rules,
      alice,
      { type: "m.room.create", state_key: "", content: { room_version: "6", creator: alice } },
      { roomId: room.roomId, prev: [], auth: [], time: 1, number: 900 },
    );
    const before = await stored(room);
    const state2 = [received(second), ...state.slice(1).map((name) => room.received(name))];
    await expect(answer(room, { state: state2 })).rejects.toMatchObject(badJson);
    expect(await stored(room)).toEqual(before);
  });

  test("a second create event in its state is left out", async () => {
    const room = await joined("6");
    const second = makeEvent(
      room.story.rules,
      alice,
      { type: "m.room.create", state_key: "", content: { room_version: "6", creator: alice } },
      { roomId: room.roomId, prev: [], auth: [], time: 1, number: 900 },
    );
    const both = [...state.map((name) => room.received(name)), received(second)];
    expect(await answer(room, { state: both })).toMatchObject({ outcome: "accepted" });
    expect(await room.entry("m.room.create")).toBe("create");
    expect(await room.server.rooms.eventById(second.eventId)).toBeUndefined();
  });

  test("an event that has the id of one of another room", async () => {
    const room = await joined("1");
    await answer(room);
    const twin = (name: string): ReceivedEvent => {
      const { eventId, pdu } = room.received(name);
      const moved = { ...pdu, room_id: "!other:a.example" };
      return { eventId, pdu: moved, json: JSON.stringify(moved) };
    };
    // All ids are taken: nothing passes.
    const before = await stored(room);
    const verdict = await answer(room, {
      event: twin("zoe"),
      state: state.map(twin),
      authChain: ["member0", "member1"].map(twin),
    });
    expect(verdict).toMatchObject({ outcome: "rejected" });
    expect(await stored(room)).toEqual(before);
    expect(await room.stored("alice")).toMatchObject({ roomId: room.roomId });
  });

  test("events that authorise each other", async () => {
    const room = await joined("1");
    const { story } = room;
    story.member("x", "@x:x.example", "join", { after: ["chat"] });
    story.member("y", "@y:x.example", "join", { after: ["chat"] });
    const citing = (name: string, other: string): ReceivedEvent => {
      const { eventId, pdu } = room.received(name);
      const cited = [...pdu.auth_events, [room.id(other), { sha256: "" }]] as typeof pdu.auth_events;
      const circular = { ...pdu, auth_events: cited };
      return { eventId, pdu: circular, json: JSON.stringify(circular) };
    };
    const circle = [citing("x", "y"), citing("y", "x")];
    const all = [...state.map((name) => room.received(name)), ...circle];
    expect(await answer(room, { state: all })).toMatchObject({ outcome: "accepted" });
    expect(await room.stored("x")).toBeUndefined();
    expect(await room.stored("y")).toBeUndefined();
  });

  test("members that are no users are state, and nobody", async () => {
    const room = await joined("11");
    const { story } = room;
    story.tell("odd", alice, {
      type: "m.room.member",
      state_key: "somebody",
      content: { membership: "invite" },
    });
    await answer(room, { state: [...state, "odd"].map((name) => room.received(name)) });
    expect(await room.server.rooms.memberCounts(await room.nid())).toEqual({ joined: 32, invited: 0 });
  });
});
