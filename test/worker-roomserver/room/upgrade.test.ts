import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { roomVersionRules, roomVersions } from "../../../src/matrix/room-versions.ts";
import type { RoomUpgrade } from "../../../src/worker-roomserver/room/api.ts";
import { upgradeRoom } from "../../../src/worker-roomserver/room/perform/upgrade.ts";
import { type OpenParts, openParts } from "../support/open-parts.ts";
import { refusal } from "../support/requester.ts";
import { diesAfterNextUnit, failCommit, nextTask } from "../support/rounds.ts";
import { dump } from "../support/storage.ts";
import { failNextCommit, holdNextCommit } from "../support/users.ts";

const upgrade = (
  t: OpenParts,
  roomId: string,
  newVersion: string,
  how: Partial<RoomUpgrade> & { who?: string; request?: string } = {},
) => {
  const { who = "alice", request = t.request(), ...more } = how;
  return upgradeRoom(t.parts, request, t.user(who), { roomId, newVersion, ...more });
};
const upgraded = async (...args: Parameters<typeof upgrade>) => (await upgrade(...args)).replacement_room;

/** The events of a room's timeline, oldest first. */
async function timeline(t: OpenParts, roomId: string) {
  const room = (await t.parts.storage.names.find(roomId))!;
  const rows = await t.storage.fromIndex(
    "events",
    "timeline",
    IDBKeyRange.bound([room, Number.NEGATIVE_INFINITY], [room, Number.POSITIVE_INFINITY]),
  );
  return (await t.parts.events.fromRows(rows)).reverse();
}

async function roomCount(t: OpenParts): Promise<number> {
  return (await dump(t.storage)).rooms!.length;
}

describe.each(roomVersions)("to room version %s", (version) => {
  test("the rooms name each other, and the new one is as the old one was", async () => {
    const t = await openParts();
    const old = await t.create({ room_version: "9", creation_content: { type: "m.x", "m.federate": false } });
    const state: [string, JsonObject][] = [
      ["m.room.name", { name: "Den" }],
      ["m.room.topic", { topic: "Bears" }],
      ["m.room.avatar", { url: "mxc://h/a" }],
      ["m.room.join_rules", { join_rule: "public" }],
      ["m.room.history_visibility", { history_visibility: "joined" }],
      ["m.room.guest_access", { guest_access: "forbidden" }],
      ["m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }],
      ["m.room.server_acl", { allow: ["*"] }],
    ];
    for (const [type, content] of state) await t.set(old, type, content);
    await t.set(old, "com.example.mine", { a: 1 });

    const replacement = await upgraded(t, old, version);

    const rules = roomVersionRules(version)!;
    const tombstone = (await timeline(t, old)).at(-1)!;
    expect(tombstone.pdu).toMatchObject({
      type: "m.room.tombstone",
      sender: t.user("alice").userId,
      content: { replacement_room: replacement, body: expect.any(String) },
    });
    const events = await timeline(t, replacement);
    expect(events[0]!.pdu.content).toEqual({
      room_version: version,
      type: "m.x",
      "m.federate": false,
      predecessor: {
        room_id: old,
        ...(!rules.roomIdIsCreateHash && { event_id: tombstone.eventId }),
      },
      ...(!rules.creatorIsSender && { creator: t.user("alice").userId }),
    });
    for (const [type, content] of state) expect(await t.content(replacement, type)).toEqual(content);
    expect(await t.content(replacement, "com.example.mine")).toBeUndefined();
    expect(await t.content(replacement, "m.room.tombstone")).toBeUndefined();
    expect(await t.content(replacement, "m.room.member", t.user("alice").userId)).toEqual({
      membership: "join",
    });
    // Whoever upgraded it can go on in it.
    await t.set(replacement, "m.room.name", { name: "New den" });
  });
});

describe("power levels", () => {
  test("go over, but for those of who is a creator in a version where creators have none", async () => {
    const t = await openParts();
    const [alice, bob, carol] = [t.user("alice").userId, t.user("bob").userId, t.user("carol").userId];
    const old = await t.create({
      room_version: "11",
      power_level_content_override: { users: { [alice]: 100, [bob]: 100, [carol]: 50 }, invite: 20 },
    });
    const before = await t.content(old, "m.room.power_levels");
    const replacement = await upgraded(t, old, "12", { additionalCreators: [bob, bob, alice] });
    expect(await t.content(replacement, "m.room.create")).toMatchObject({ additional_creators: [bob] });
    expect(await t.content(replacement, "m.room.power_levels")).toEqual({
      ...before,
      users: { [carol]: 50 },
    });
  });

  test("additional creators are of no matter where a version has none", async () => {
    const t = await openParts();
    const old = await t.create({ room_version: "12" });
    const replacement = await upgraded(t, old, "11", { additionalCreators: ["nobody"] });
    expect(await t.content(replacement, "m.room.create")).not.toHaveProperty("additional_creators");
  });

  test("creators who stood above all get the highest level where a version has no such", async () => {
    const t = await openParts();
    const [alice, bob] = [t.user("alice").userId, t.user("bob").userId];
    const old = await t.create({
      room_version: "12",
      creation_content: { additional_creators: [bob] },
    });
    const replacement = await upgraded(t, old, "10");
    expect(await t.content(replacement, "m.room.power_levels")).toMatchObject({
      users: { [alice]: 150, [bob]: 150 },
    });
    await t.act(replacement, "invite", "alice", "bob");
    await t.act(replacement, "join", "bob");
    await t.set(replacement, "m.room.tombstone", { replacement_room: "!x:y" }, "", "bob");
  });

  test("that are texts become numbers where only those count, and what is no level goes", async () => {
    const t = await openParts();
    const old = await t.create({ room_version: "9" });
    const alice = t.user("alice").userId;
    const levels = { users: { [alice]: "100" }, users_default: " 5 ", events: { "m.x": "50" } };
    await t.set(old, "m.room.power_levels", { ...levels, note: "odd" });
    const replacement = await upgraded(t, old, "10");
    expect(await t.content(replacement, "m.room.power_levels")).toEqual({
      users: { [alice]: 100 },
      users_default: 5,
      events: { "m.x": 50 },
    });
  });

  test.each([
    ["of 50", {}, 50],
    ["above what everybody has", { users_default: 60 }, 61],
  ])("of the old room ask for a level %s to speak or invite", async (_, levels, required) => {
    const t = await openParts();
    const old = await t.create({ room_version: "10" });
    const present = await t.content(old, "m.room.power_levels");
    await t.set(old, "m.room.power_levels", { ...present, ...levels });
    await upgraded(t, old, "11");
    expect(await t.content(old, "m.room.power_levels")).toEqual({
      ...present,
      ...levels,
      events_default: required,
      invite: required,
    });
  });

  test("of the old room stay where its upgrader may not change them", async () => {
    const t = await openParts();
    const old = await t.create({ room_version: "10", preset: "public_chat" });
    const bob = t.user("bob").userId;
    const present = (await t.content(old, "m.room.power_levels"))!;
    const levels = {
      ...present,
      users: { ...(present.users as JsonObject), [bob]: 60 },
      events: { ...(present.events as JsonObject), "m.room.tombstone": 60 },
    };
    await t.set(old, "m.room.power_levels", levels);
    await t.act(old, "join", "bob");
    const replacement = await upgraded(t, old, "11", { who: "bob" });
    expect(await t.content(old, "m.room.power_levels")).toEqual(levels);
    expect(await t.content(old, "m.room.tombstone")).toMatchObject({ replacement_room: replacement });
    // All the same the new room is whole: its levels are the old one's, though bob could not have set them there.
    expect(await t.content(replacement, "m.room.power_levels")).toEqual(levels);
    expect(await t.content(replacement, "m.room.history_visibility")).toEqual({
      history_visibility: "shared",
    });
  });
});

describe("who", () => {
  test("was banned stays banned, even from a high level; who was invited or had left does not go over", async () => {
    const t = await openParts();
    const old = await t.create({ room_version: "11", preset: "public_chat" });
    const [bob, dave] = [t.user("bob").userId, t.user("dave").userId];
    for (const name of ["bob", "carol", "dave"]) await t.act(old, "join", name);
    await t.parts.writer.write(old, async (plan) => {
      const content = { membership: "ban", reason: "rude", displayname: "Bob", "com.example": 1 };
      const ban = { type: "m.room.member", sender: t.user("alice").userId, stateKey: bob, content, ts: 1 };
      await plan.add(ban);
    });
    const levels = (await t.content(old, "m.room.power_levels"))!;
    const users = { ...(levels.users as JsonObject), [bob]: 100 };
    await t.set(old, "m.room.power_levels", { ...levels, users });
    await t.act(old, "leave", "carol");
    const replacement = await upgraded(t, old, "11");
    const members = (await timeline(t, replacement)).filter(({ pdu }) => pdu.type === "m.room.member");
    expect(members.map(({ pdu }) => [pdu.state_key, pdu.content])).toEqual([
      [t.user("alice").userId, { membership: "join" }],
      [bob, { membership: "ban", reason: "rude", displayname: "Bob" }],
    ]);
    expect((await t.parts.memberships.of(dave)).size).toBe(1);
    expect(await refusal(t.act(replacement, "join", "bob"))).toMatchObject({ errcode: "M_FORBIDDEN" });
  });

  test.each<[string, string, Partial<RoomUpgrade>, string, number]>([
    ["is not in the room", "eve", {}, "M_FORBIDDEN", 403],
    ["may not send the tombstone", "bob", {}, "M_FORBIDDEN", 403],
    ["names a version that is not known", "alice", { newVersion: "x" }, "M_UNSUPPORTED_ROOM_VERSION", 400],
    ["names a room that is not known", "alice", { roomId: "!nowhere:h" }, "M_NOT_FOUND", 404],
    ["names a creator that is none", "alice", { additionalCreators: ["bob"] }, "M_INVALID_PARAM", 400],
  ])("%s is refused, and nothing is written", async (_, who, change, errcode, status) => {
    const t = await openParts();
    const old = await t.create({ preset: "public_chat", room_alias_name: "den" });
    await t.act(old, "join", "bob");
    const { position } = t.storage;
    expect(await refusal(upgrade(t, old, "12", { who, ...change }))).toEqual({ errcode, status });
    expect(t.storage.position).toBe(position);
    expect(await roomCount(t)).toBe(1);
    expect((await t.parts.directory.resolve(`#den:${t.serverName}`)).room_id).toBe(old);
  });
});

describe("the directory", () => {
  test("leads to the new room, and the events about aliases are divided", async () => {
    const t = await openParts();
    const alias = (name: string, server = t.serverName) => `#${name}:${server}`;
    // Set as the room is made, where nobody asks whether they lead to it.
    const aliases = {
      type: "m.room.canonical_alias",
      content: {
        alias: alias("den"),
        alt_aliases: [alias("den", "far.example"), alias("cave"), alias("gone")],
      },
    };
    const old = await t.create({ room_alias_name: "den", visibility: "public", initial_state: [aliases] });
    await t.parts.directory.set(t.request(), t.user("alice"), alias("cave"), old);
    const replacement = await upgraded(t, old, "12");

    expect((await t.parts.directory.resolve(alias("den"))).room_id).toBe(replacement);
    expect(await t.parts.directory.of(old)).toEqual({ aliases: [] });
    expect((await t.parts.directory.of(replacement)).aliases.sort()).toEqual([alias("cave"), alias("den")]);
    expect(await t.parts.directory.visibility(old)).toEqual({ visibility: "private" });
    expect(await t.parts.directory.visibility(replacement)).toEqual({ visibility: "public" });
    expect(await t.content(old, "m.room.canonical_alias")).toEqual({
      alt_aliases: [alias("den", "far.example"), alias("gone")],
    });
    expect(await t.content(replacement, "m.room.canonical_alias")).toEqual({
      alias: alias("den"),
      alt_aliases: [alias("cave")],
    });
  });

  test("does not list a room whose predecessor was not, and a room without aliases has no event about them", async () => {
    const t = await openParts();
    const old = await t.create();
    const replacement = await upgraded(t, old, "12");
    expect(await t.parts.directory.visibility(replacement)).toEqual({ visibility: "private" });
    expect(await t.content(replacement, "m.room.canonical_alias")).toBeUndefined();
    expect(await t.content(old, "m.room.canonical_alias")).toBeUndefined();
  });

  test("an alias that is taken back meanwhile is not brought back", async () => {
    const t = await openParts();
    const old = await t.create({ room_alias_name: "den" });
    const alias = `#den:${t.serverName}`;
    const deletion = holdNextCommit(t.storage);
    const deleted = t.parts.directory.delete(t.request(), t.user("alice"), alias);
    await deletion.reached;
    const replacement = upgraded(t, old, "12");
    for (let round = 0; round < 20; round++) await nextTask();
    deletion.release();
    await deleted;
    expect(await t.content(await replacement, "m.room.canonical_alias")).toBeUndefined();
    expect(await refusal(t.parts.directory.resolve(alias))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
  });
});

test("a room with more bans than can be taken along is not upgraded: some would be let in", async () => {
  const t = await openParts();
  const old = await t.create();
  const banned = Array.from({ length: 5_001 }, (_, i) => `@${i}:h`);
  vi.spyOn(t.parts.memberships, "with").mockResolvedValueOnce(banned);
  expect(await refusal(upgrade(t, old, "12"))).toEqual({ errcode: "M_TOO_LARGE", status: 413 });
  expect(await t.content(old, "m.room.tombstone")).toBeUndefined();
  expect(await roomCount(t)).toBe(1);
});

test("a space takes its rooms along, but not those that were taken out of it", async () => {
  const t = await openParts();
  const old = await t.create({ creation_content: { type: "m.space" } });
  const child = { via: [t.serverName], order: "a", suggested: true };
  await t.set(old, "m.space.child", child, "!one:h");
  await t.set(old, "m.space.child", child, "!other:h");
  await t.set(old, "m.space.child", {}, "!other:h");
  const replacement = await upgraded(t, old, "12");
  expect(await t.content(replacement, "m.space.child", "!one:h")).toEqual(child);
  expect(await t.content(replacement, "m.space.child", "!other:h")).toBeUndefined();
});

describe("a crash", () => {
  test("before the unit is on the disk leaves the old room as it was, and the request may be made again", async () => {
    const t = await openParts();
    const old = await t.create({ room_alias_name: "den", visibility: "public" });
    const before = (await timeline(t, old)).length;
    const request = t.request();
    failNextCommit(t.storage);
    await expect(upgrade(t, old, "12", { request })).rejects.toThrow();

    const next = await openParts(t.storage.name);
    expect(await timeline(next, old)).toHaveLength(before);
    expect(await roomCount(next)).toBe(1);
    expect((await next.parts.directory.resolve(`#den:${t.serverName}`)).room_id).toBe(old);
    const replacement = await upgraded(next, old, "12", { request });
    expect(await next.content(old, "m.room.tombstone")).toMatchObject({ replacement_room: replacement });
    expect(await roomCount(next)).toBe(2);
  });

  test("right after it leaves one new room, the tombstone, and the answer for who asks again", async () => {
    const t = await openParts();
    const old = await t.create({ room_alias_name: "den", visibility: "public" });
    const request = t.request();
    const died = diesAfterNextUnit(t.storage);
    // Nobody hears of its answer.
    void upgrade(t, old, "12", { request });
    await died;

    const next = await openParts(t.storage.name);
    const replacement = await upgraded(next, old, "12", { request });
    expect(await roomCount(next)).toBe(2);
    const tombstones = (await timeline(next, old)).filter(({ pdu }) => pdu.type === "m.room.tombstone");
    expect(tombstones.map(({ pdu }) => pdu.content.replacement_room)).toEqual([replacement]);
    expect((await next.parts.directory.resolve(`#den:${t.serverName}`)).room_id).toBe(replacement);
    expect(await next.parts.directory.visibility(replacement)).toEqual({ visibility: "public" });
    await next.set(replacement, "m.room.name", { name: "goes on" });
  });

  test("after a write that failed, what memory knows is what is there", async () => {
    const t = await openParts();
    const old = await t.create();
    failNextCommit(t.storage);
    await expect(upgrade(t, old, "11")).rejects.toThrow();
    const replacement = await upgraded(t, old, "11");
    expect(await t.content(old, "m.room.tombstone")).toMatchObject({ replacement_room: replacement });
    const rooms = [...(await t.parts.memberships.of(t.user("alice").userId)).values()];
    expect(rooms.map(({ roomId }) => roomId).sort()).toEqual([old, replacement].sort());
  });
});

test("an upgrade that rests on a write which fails is decided anew", async () => {
  const t = await openParts();
  const old = await t.create();
  const failing = failCommit(t.storage);
  const [failed, replacement] = await Promise.allSettled([failing, upgraded(t, old, "12")]);
  expect([failed.status, replacement.status]).toEqual(["fulfilled", "fulfilled"]);
  const { value } = replacement as PromiseFulfilledResult<string>;
  expect(await t.content(old, "m.room.tombstone")).toMatchObject({ replacement_room: value });
  expect(await roomCount(t)).toBe(2);
});

test("the same request is answered the same; of two at once one is refused, and there is one new room", async () => {
  const t = await openParts();
  const old = await t.create({ room_alias_name: "den" });
  const request = t.request();
  const [one, same, other] = await Promise.allSettled([
    upgrade(t, old, "12", { request }),
    upgrade(t, old, "12", { request }),
    upgrade(t, old, "12"),
  ]);
  expect(one.status).toBe("fulfilled");
  expect(same).toEqual(one);
  expect(other).toMatchObject({ status: "rejected", reason: { errcode: "M_UNKNOWN", status: 400 } });
  expect(await upgrade(t, old, "12", { request })).toEqual((one as PromiseFulfilledResult<unknown>).value);
  expect(await roomCount(t)).toBe(2);
});

test("a room that was upgraded can be upgraded again, by who asks for it then", async () => {
  const t = await openParts();
  const old = await t.create();
  const first = await upgraded(t, old, "11");
  const second = await upgraded(t, old, "12");
  expect(second).not.toBe(first);
  expect(await t.content(old, "m.room.tombstone")).toMatchObject({ replacement_room: second });
});
