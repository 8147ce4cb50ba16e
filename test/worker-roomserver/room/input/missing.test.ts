import { describe, expect, test } from "vitest";
import { dump } from "../../support/storage.ts";
import { opening, ToldRoom } from "./told-room.ts";

const dave = "@dave:d.example";

describe.each(["1", "6", "11", "12"])("what an event lacks, in room version %s", (version) => {
  async function forked(): Promise<ToldRoom> {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.member("dave", dave, "join");
    story.message("one", "@alice:a.example");
    story.message("left", dave, { after: ["one"] });
    story.message("right", "@bob:b.example", { after: ["one"] });
    story.message("both", "@carol:c.example", { after: ["left", "right"] });
    return room;
  }

  test("what is missing is named exactly, and nothing is stored", async () => {
    const room = await forked();
    const before = await dump(room.server.storage);
    const missing = (authEvents: string[], prevEvents: string[]) => ({
      outcome: "missing",
      authEvents,
      prevEvents,
      stateEvents: [],
    });
    expect(await room.verdict("one")).toEqual(missing([], ["dave"]));
    expect(await room.verdict("left")).toEqual(missing(["dave"], ["one"]));
    expect(await room.verdict("both")).toEqual(missing([], ["left", "right"]));
    expect(await room.verdict("left", { as: "outlier" })).toEqual(missing(["dave"], []));
    expect(await room.verdict("left", { as: "history" })).toEqual(missing(["dave"], ["one"]));
    expect(await dump(room.server.storage)).toEqual(before);

    expect(await room.outcomes(["dave", "one", "right"])).toEqual(["accepted", "accepted", "accepted"]);
    expect(await room.verdict("both")).toEqual(missing([], ["left"]));
    expect(await room.outcomes(["both", "left"])).toEqual(["accepted", "accepted"]);
    expect(await room.extremities()).toEqual(["both"]);
  });

  test("of one that is known as an outlier it is not known what came before", async () => {
    const room = await forked();
    expect(await room.outcomes(["dave"], { as: "outlier" })).toEqual(["accepted"]);
    expect(await room.verdict("one")).toMatchObject({ outcome: "missing", prevEvents: ["dave"] });
    expect(await room.outcomes(["dave", "one"])).toEqual(["accepted", "accepted"]);
    expect(await room.told()).toEqual(["dave", "one"]);
  });

  test("the state before it can be told instead, and where history is missing is marked", async () => {
    const room = await forked();
    await room.receive(["dave"], { as: "outlier" });
    const state = [...opening, "dave"];
    expect(await room.outcomes(["right"], { statesBefore: { right: state } })).toEqual(["accepted"]);
    const right = (await room.stored("right"))!;
    expect(right.afterGap).toBe(true);
    expect(await room.entryIn(right.stateBefore, "m.room.member", dave)).toBe("dave");
    expect(await room.entry("m.room.member", dave)).toBe("dave");
    expect(await room.extremities()).toEqual(["carol", "right"]);
    const { gaps } = await dump(room.server.storage);
    expect(gaps).toEqual([
      [[await room.nid(), -right.order], { event: right.nid, missing: [room.id("one")] }],
    ]);
    expect(await room.outcomes(["right"])).toEqual(["duplicate"]);
    expect(await room.outcomes(["left"], { statesBefore: { left: state } })).toEqual(["accepted"]);
  });

  test("state that is not known is named", async () => {
    const room = await forked();
    expect(await room.verdict("one", { statesBefore: { one: [...opening, "dave"] } })).toEqual({
      outcome: "missing",
      authEvents: [],
      prevEvents: ["dave"],
      stateEvents: ["dave"],
    });
    expect(await room.stored("one")).toBeUndefined();
  });

  test("of a state that is told, rejected events and those without a state key are left out", async () => {
    const room = await forked();
    const { story } = room;
    story.message("chat", "@alice:a.example", { after: ["carol"] });
    story.state("forbidden", "@carol:c.example", "m.room.topic", { topic: "t" }, { after: ["chat"] });
    expect(await room.outcomes(["chat", "forbidden"])).toEqual(["accepted", "rejected"]);
    await room.receive(["dave"], { as: "outlier" });
    const state = [...opening, "dave", "chat", "forbidden"];
    expect(await room.outcomes(["one"], { statesBefore: { one: state } })).toEqual(["accepted"]);
    const one = (await room.stored("one"))!;
    const members = await room.server.rooms.stateOf(one.stateBefore);
    const names = (await room.server.rooms.events(members)).map(({ eventId }) => story.nameOf(eventId));
    expect(names.sort()).toEqual([...opening, "dave"].sort());
  });
});

test("of a state that is told, events of another room are left out", async () => {
  const room = await ToldRoom.open("11");
  const other = room.server.user("x");
  const { room_id: otherId } = await room.server.rooms.createRoom(room.server.request(), other, {
    name: "elsewhere",
  });
  const nid = (await room.server.rooms.nid(otherId))!;
  const elsewhere = await room.server.rooms.events(
    await room.server.rooms.stateOf(await room.server.rooms.snapshotAt(nid, room.server.storage.position)),
  );
  const { story } = room;
  story.member("dave", dave, "join");
  story.message("one", "@alice:a.example");
  const [verdict] = await room.server.rooms.input.receive(room.roomId, [room.received("one")], {
    statesBefore: {
      [room.id("one")]: [...opening.map((name) => room.id(name)), ...elsewhere.map(({ eventId }) => eventId)],
    },
  });
  expect(verdict?.outcome).toBe("accepted");
  const one = (await room.stored("one"))!;
  const state = await room.server.rooms.events(await room.server.rooms.stateOf(one.stateBefore));
  expect(state.map(({ eventId }) => story.nameOf(eventId)).sort()).toEqual([...opening].sort());
});
