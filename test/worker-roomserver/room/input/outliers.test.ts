import { describe, expect, test } from "vitest";
import { ToldRoom } from "./told-room.ts";

describe.each(["1", "6", "11", "12"])("outliers in room version %s", (version) => {
  test("an outlier is judged by its auth events alone, and has no place in the room", async () => {
    const room = await ToldRoom.open(version);
    room.story.state("topic", "@alice:a.example", "m.room.topic", { topic: "t" });
    room.story.message("between", "@alice:a.example");
    room.story.state("later", "@alice:a.example", "m.room.topic", { topic: "u" });
    const before = await room.log();

    expect(await room.outcomes(["later"], { as: "outlier" })).toEqual(["accepted"]);
    const outlier = (await room.stored("later"))!;
    expect(outlier).toMatchObject({ isOutlier: true, order: 0, status: 0, stateBefore: 0 });
    expect(await room.told()).toEqual([]);
    expect(await room.entry("m.room.topic")).toBeUndefined();
    expect(await room.log()).toEqual(before);
    expect(await room.outcomes(["later"], { as: "outlier" })).toEqual(["duplicate"]);
  });

  test("an outlier that comes live is the same event, now with a state and a place", async () => {
    const room = await ToldRoom.open(version);
    room.story.state("topic", "@alice:a.example", "m.room.topic", { topic: "t" });
    room.story.message("after", "@bob:b.example");
    await room.receive(["topic"], { as: "outlier" });
    const { nid } = (await room.stored("topic"))!;

    expect(await room.outcomes(["topic", "after"])).toEqual(["accepted", "accepted"]);
    expect(await room.stored("topic")).toMatchObject({ nid, isOutlier: false });
    expect((await room.stored("topic"))!.stateBefore).not.toBe(0);
    expect(await room.told()).toEqual(["topic", "after"]);
    expect(await room.entry("m.room.topic")).toBe("topic");
    expect(await room.extremities()).toEqual(["after"]);

    const again = await room.reopened();
    expect(await again.told()).toEqual(["topic", "after"]);
    expect(await again.entry("m.room.topic")).toBe("topic");
  });

  test("an outlier takes its place in history", async () => {
    const room = await ToldRoom.open(version);
    room.story.state("topic", "@alice:a.example", "m.room.topic", { topic: "t" });
    room.story.message("after", "@bob:b.example");
    await room.receive(["topic"], { as: "outlier" });
    const state = ["create", "alice", "levels", "public", "bob", "carol", "topic"];
    expect(await room.outcomes(["after"], { statesBefore: { after: state } })).toEqual(["accepted"]);

    expect(await room.outcomes(["topic"], { as: "history" })).toEqual(["accepted"]);
    expect(await room.told()).toEqual(["topic", "after"]);
    expect(await room.stored("topic")).toMatchObject({ isOutlier: false });
    expect(await room.stored("after")).toMatchObject({ afterGap: false });
  });

  test("one that its auth events do not allow is rejected, and comes anew when they do", async () => {
    const room = await ToldRoom.open(version);
    const dave = "@dave:d.example";
    room.story.member("invite", "@bob:b.example", "invite", { of: dave });
    room.story.member("wrong", dave, "join", { auth: ["levels"] });
    room.story.message("unsigned", dave, { after: ["invite"], auth: ["levels"] });

    expect(await room.outcomes(["wrong", "unsigned"], { as: "outlier" })).toEqual(["rejected", "rejected"]);
    expect(await room.stored("unsigned")).toMatchObject({ status: 1, isOutlier: true, order: 0 });
    expect(await room.outcomes(["unsigned"], { as: "outlier" })).toEqual(["rejected"]);
    // Rejected once more with a place, it is one that has a place.
    await room.receive(["invite"]);
    expect(await room.outcomes(["unsigned"])).toEqual(["rejected"]);
    expect(await room.stored("unsigned")).toMatchObject({ status: 1, isOutlier: false });
    expect(await room.told()).toEqual(["invite"]);
  });

  test("a rejected outlier without its auth event is judged again when that comes, in whatever place", async () => {
    const room = await ToldRoom.open(version);
    room.story.state("raised", "@alice:a.example", "m.room.power_levels", {
      users: {
        ...(version !== "12" && { "@alice:a.example": 100 }),
        "@bob:b.example": 50,
        "@carol:c.example": 50,
      },
    });
    room.story.state("topic", "@carol:c.example", "m.room.topic", { topic: "t" });
    const told = { unobtainable: ["raised"] };
    expect(await room.outcomes(["topic"], { as: "outlier", ...told })).toEqual(["rejected"]);
    const state = ["create", "alice", "levels", "public", "bob", "carol"];
    expect(await room.outcomes(["topic"], { ...told, statesBefore: { topic: state } })).toEqual(["rejected"]);

    expect(await room.outcomes(["raised"])).toEqual(["accepted"]);
    // What was told of the state before it did not allow it; what it is built upon does.
    expect(await room.told()).toEqual(["raised", "topic"]);
    expect(await room.entry("m.room.topic")).toBe("topic");
  });
});

test("who authorises whom outlasts that outliers take their places", async () => {
  const room = await ToldRoom.open("11");
  const { story } = room;
  const dave = "@dave:d.example";
  story.member("dave", dave, "join");
  story.state("topic", "@alice:a.example", "m.room.topic", { topic: "t" });
  story.member("gone", dave, "leave");
  story.member("back", dave, "join");
  await room.takeIn(
    "back",
    ["create", "alice", "levels", "public", "bob", "carol", "topic", "gone"],
    ["dave"],
  );
  const edges = async (of: ToldRoom) => {
    const graph = await of.server.parts.graphs.of(await of.nid());
    const events = await Promise.all(story.names.map((name) => of.stored(name)));
    return events.map((event) => event && [event.nid, ...Array.from(graph.authEventsOf(event.nid))]);
  };
  const before = await edges(await room.reopened());
  // The last of those that were written together.
  const state = ["create", "alice", "levels", "public", "bob", "carol", "dave", "topic"];
  expect(await room.outcomes(["gone"], { as: "history", statesBefore: { gone: state } })).toEqual([
    "accepted",
  ]);
  expect(await edges(await room.reopened())).toEqual(before);
});
