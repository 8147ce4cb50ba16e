import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { MERGE_EVENT } from "../../../../src/worker-roomserver/room/merge-event.ts";
import { json } from "../../support/room.ts";
import { ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";

/** Branches beside one another, each with a message; two with a topic. */
function tellBranches(room: ToldRoom, count: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `branch${i}`);
  for (const [i, name] of names.entries()) {
    if (i === 3 || i === 7) {
      room.story.state(name, alice, "m.room.topic", { topic: name }, { after: ["carol"] });
    } else room.story.message(name, alice, { after: ["carol"] });
  }
  return names;
}

describe.each(["1", "6", "11", "12"])("many branches in a room of version %s", (version) => {
  test("are merged by who may send from here, and the state is what they say", async () => {
    const room = await ToldRoom.open(version, "c.example");
    const names = tellBranches(room, 14);
    await room.receive(names);
    for (const view of [room, await room.reopened()]) {
      const newest = (await view.events()).at(-1)!;
      expect(newest.pdu).toMatchObject({ type: MERGE_EVENT, sender: "@carol:c.example", content: {} });
      expect(newest.pdu.prev_events.length).toBeLessThanOrEqual(10);
      expect(newest.extremities.length).toBeLessThanOrEqual(10);
      expect(await view.entry("m.room.topic")).toBe(
        room.story.entry(room.story.received().currentState(), "m.room.topic"),
      );
    }
  });

  test("stay as they are where nobody is from here", async () => {
    const room = await ToldRoom.open(version);
    const names = tellBranches(room, 14);
    await room.receive(names);
    expect(await room.extremities()).toEqual([...names].sort());
    expect(await room.told()).toEqual(names);
  });

  test("who may only leave leaves with an event that others take", async () => {
    const room = await ToldRoom.open(version, "c.example");
    const { story } = room;
    story.state(
      "silenced",
      alice,
      "m.room.power_levels",
      { users: version === "12" ? {} : { [alice]: 100 }, events_default: 50 },
      { after: ["carol"] },
    );
    const names = Array.from({ length: 30 }, (_, i) => `branch${i}`);
    for (const name of names) story.message(name, alice, { after: ["silenced"] });
    await room.receive(["silenced", ...names]);
    expect((await room.extremities()).length).toBe(30);
    const { rooms } = room.server;
    await rooms.changeMembership(room.server.request(), room.server.user("carol"), {
      roomId: room.roomId,
      action: "leave",
      target: "@carol:c.example",
    });
    const newest = (await room.events()).at(-1)!;
    expect(newest.pdu.content.membership).toBe("leave");
    expect(newest.pdu.prev_events.length).toBeLessThanOrEqual(20);
  });
});

test("clients see nothing of it", async () => {
  const room = await ToldRoom.open("11", "c.example");
  const names = tellBranches(room, 14);
  await room.receive(names);
  const { rooms } = room.server;
  const merge = (await room.events()).at(-1)!;
  expect(merge.pdu.type).toBe(MERGE_EVENT);
  const carol = room.server.user("carol");
  const page: JsonObject = json(
    await rooms.messages(carol, room.roomId, { dir: "b", limit: 50, filter: {} }),
  );
  const types = (page.chunk as { type: string }[]).map(({ type }) => type);
  expect(types.length).toBe(6 + 14);
  expect(types).not.toContain(MERGE_EVENT);
  expect(await rooms.visibleTo(carol.userId, [merge])).toEqual([]);
  expect(await rooms.visibleTo("@nobody:x.example", [merge])).toEqual([]);
  await expect(rooms.event(carol, room.roomId, merge.eventId)).rejects.toMatchObject({ status: 404 });
});
