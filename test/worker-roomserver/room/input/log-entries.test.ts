import { describe, expect, test } from "vitest";
import { ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";

describe.each(["1", "6", "11", "12"])("what readers are told of a fork in version %s", (version) => {
  test("a ban on one branch wins over what its victim does on the other", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const { rooms, storage } = room.server;
    story.member("renamed", bob, "join", { after: ["carol"] });
    story.member("ban", alice, "ban", { of: bob, after: ["carol"] });
    story.message("merged", alice, { after: ["renamed", "ban"] });
    await room.receive(["renamed"]);
    const { position } = storage;
    await room.receive(["ban"]);
    expect(await room.log(position)).toEqual(["room ban"]);
    const nid = await room.nid();
    expect(await rooms.usersIn(nid, "ban")).toEqual([bob]);
    expect(await rooms.usersIn(nid, "join")).not.toContain(bob);
    expect(await rooms.membershipOf(bob, nid)).toMatchObject({ membership: "ban", since: position + 1 });
    await room.receive(["merged"]);
    expect(await room.entry("m.room.member", bob)).toBe("ban");
  });

  test("what a ban undoes of its victim's doings is told as state, before the ban", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const { rooms, storage } = room.server;
    story.state("topic", bob, "m.room.topic", { topic: "by bob" }, { after: ["carol"] });
    story.member("kick", bob, "leave", { of: carol, after: ["topic"] });
    story.member("ban", alice, "ban", { of: bob, after: ["carol"] });
    await room.receive(["topic", "kick"]);
    expect(await rooms.usersIn(await room.nid(), "join")).not.toContain(carol);
    const { position } = storage;
    await room.receive(["ban"]);

    const reference = story.received();
    const expected = reference.currentState();
    expect(await room.entry("m.room.topic")).toBe(story.entry(expected, "m.room.topic"));
    expect(await room.entry("m.room.member", carol)).toBe(story.entry(expected, "m.room.member", carol));
    expect(await room.entry("m.room.member", bob)).toBe("ban");
    const log = await room.log(position);
    expect(log.at(-1)).toBe("room ban");
    const turned: string[] = [];
    if (story.entry(expected, "m.room.topic") === undefined) turned.push("state -");
    if (story.entry(expected, "m.room.member", carol) === "carol") turned.push("state carol");
    expect(log.slice(0, -1).sort()).toEqual(turned.sort());
    const isBack = story.entry(expected, "m.room.member", carol) === "carol";
    const info = await rooms.membershipOf(carol, await room.nid());
    expect(info?.membership).toBe(isBack ? "join" : "leave");
    if (isBack) expect(info?.since).toBe(position + log.length);
  });

  test("a member whose join is resolved away is not in the room", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const { rooms, storage } = room.server;
    const dave = "@dave:d.example";
    // Bob lets dave in on one branch; on the other the room is closed and bob has been put out.
    story.state("closed", alice, "m.room.join_rules", { join_rule: "invite" });
    story.member("invite", bob, "invite", { of: dave, after: ["closed"] });
    story.member("dave", dave, "join", { after: ["invite"] });
    story.member("ban", alice, "ban", { of: bob, after: ["closed"] });
    await room.receive(["closed", "invite", "dave"]);
    expect(await rooms.usersIn(await room.nid(), "join")).toContain(dave);
    const { position } = storage;
    await room.receive(["ban"]);
    const expected = story.entry(story.received().currentState(), "m.room.member", dave);
    expect(await room.entry("m.room.member", dave)).toBe(expected);
    const info = await rooms.membershipOf(dave, await room.nid());
    expect(info?.membership).toBe(expected === "dave" ? "join" : "leave");
    expect(await room.log(position)).toEqual(expected === "dave" ? ["room ban"] : ["state -", "room ban"]);
  });
});

test("a member of whom nothing is left by the room's resolution has left", async () => {
  const room = await ToldRoom.open("11");
  const { story } = room;
  const dave = "@dave:d.example";
  story.state("closed", alice, "m.room.join_rules", { join_rule: "invite" });
  story.member("invite", bob, "invite", { of: dave, after: ["closed"] });
  story.member("ban", alice, "ban", { of: bob, after: ["closed"] });
  await room.receive(["closed", "invite"]);
  expect(await room.server.rooms.usersIn(await room.nid(), "invite")).toEqual([dave]);
  const { position } = room.server.storage;
  await room.receive(["ban"]);
  expect(await room.entry("m.room.member", dave)).toBeUndefined();
  expect(await room.log(position)).toEqual(["state -", "room ban"]);
  expect(await room.server.rooms.usersIn(await room.nid(), "invite")).toEqual([]);
  expect(await room.server.rooms.membershipOf(dave, await room.nid())).toMatchObject({
    membership: "leave",
    since: position + 2,
  });
});
