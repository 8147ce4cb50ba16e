import { describe, expect, test } from "vitest";
import { roomSummary } from "../../../../src/worker-roomserver/room/query/summary.ts";
import { type OpenParts, openParts } from "../../support/open-parts.ts";
import { refusal } from "../../support/requester.ts";

const summary = (t: OpenParts, room: string, who?: string) =>
  roomSummary(t.parts, who === undefined ? undefined : t.user(who), room);
const missing = { errcode: "M_NOT_FOUND", status: 404 };

test("tells of the room what it is, to members and by its alias too", async () => {
  const t = await openParts();
  const room = await t.create({
    room_version: "11",
    preset: "public_chat",
    name: "Den",
    topic: "Bears",
    room_alias_name: "den",
    creation_content: { type: "m.space" },
  });
  await t.set(room, "m.room.avatar", { url: "mxc://h/a" });
  await t.set(room, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  await t.set(room, "m.room.guest_access", { guest_access: "can_join" });
  await t.set(room, "m.room.history_visibility", { history_visibility: "world_readable" });
  await t.act(room, "join", "bob");
  const told = {
    room_id: room,
    num_joined_members: 2,
    world_readable: true,
    guest_can_join: true,
    join_rule: "public",
    name: "Den",
    topic: "Bears",
    canonical_alias: `#den:${t.serverName}`,
    avatar_url: "mxc://h/a",
    room_type: "m.space",
    room_version: "11",
    encryption: "m.megolm.v1.aes-sha2",
  };
  expect(await summary(t, room, "alice")).toEqual({ ...told, membership: "join" });
  expect(await summary(t, `#den:${t.serverName}`)).toEqual(told);
});

describe("a room that is not open", () => {
  test("is shown to members and who is invited, and to others it is as if it were not there", async () => {
    const t = await openParts();
    const room = await t.create({ preset: "private_chat", invite: [t.user("bob").userId] });
    expect(await summary(t, room, "alice")).toMatchObject({ membership: "join", join_rule: "invite" });
    expect(await summary(t, room, "bob")).toMatchObject({ membership: "invite", num_joined_members: 1 });
    expect(await refusal(summary(t, room, "carol"))).toEqual(missing);
    expect(await refusal(summary(t, room))).toEqual(missing);
    expect(await refusal(summary(t, "!nowhere:h", "alice"))).toEqual(missing);
    await t.act(room, "leave", "bob");
    expect(await refusal(summary(t, room, "bob"))).toEqual(missing);
  });

  test.each([
    ["public", "1", true],
    ["knock", "6", false],
    ["knock", "7", true],
    ["knock_restricted", "9", false],
    ["knock_restricted", "10", true],
    ["restricted", "10", false],
    ["invite", "12", false],
  ])("with the rule %s in version %s is shown to anybody: %s", async (join_rule, room_version, shown) => {
    const t = await openParts();
    const room = await t.create({ room_version });
    await t.set(room, "m.room.join_rules", { join_rule });
    const answer = summary(t, room);
    if (shown) expect(await answer).toMatchObject({ room_id: room, join_rule });
    else expect(await refusal(answer)).toEqual(missing);
  });
});

test("a restricted room is shown to who is in a room that lets them in, and names these rooms", async () => {
  const t = await openParts();
  const lobby = await t.create({ preset: "public_chat" });
  const room = await t.create();
  const allow = [
    { type: "m.room_membership", room_id: lobby },
    { type: "m.room_membership", room_id: "no room" },
    { type: "com.example", room_id: "!other:h" },
  ];
  await t.set(room, "m.room.join_rules", { join_rule: "restricted", allow });
  expect(await refusal(summary(t, room, "bob"))).toEqual(missing);
  await t.act(lobby, "join", "bob");
  expect(await summary(t, room, "bob")).toMatchObject({ allowed_room_ids: [lobby], membership: "leave" });
  await t.act(lobby, "leave", "bob");
  expect(await refusal(summary(t, room, "bob"))).toEqual(missing);
});

test("a room that everybody here has left is not known any more", async () => {
  const t = await openParts();
  const room = await t.create({ preset: "public_chat" });
  await t.act(room, "leave", "alice");
  expect(await refusal(summary(t, room, "alice"))).toEqual(missing);
});

test("what is neither an id nor an alias is refused", async () => {
  const t = await openParts();
  const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
  expect(await refusal(summary(t, "den"))).toEqual(invalid);
  expect(await refusal(summary(t, "#"))).toEqual(invalid);
  expect(await refusal(summary(t, `#none:${t.serverName}`))).toEqual(missing);
});
