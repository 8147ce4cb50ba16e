import { describe, expect, test } from "vitest";
import type { ListFilters } from "../../../../src/worker-roomserver/sync/sliding/api.ts";
import { list, slide } from "../support/sliding.ts";
import { keys, type TestSync, testSync, texts } from "../support/sync.ts";

const said = (room: { timeline?: Parameters<typeof texts>[0]["events"] } | undefined) =>
  texts({ events: room?.timeline ?? [] });

describe("a window of a list", () => {
  test("has the rooms in which something happened last, and counts all", async () => {
    const t = await testSync();
    const rooms = [];
    for (let i = 0; i < 5; i++) rooms.push(await t.create("alice"));
    await t.say("alice", rooms[2]!, "hello");
    const answer = await slide(t, "alice", { lists: { all: list(1, 1) } });
    expect(answer.lists).toEqual({ all: { count: 5 } });
    expect(Object.keys(answer.rooms).sort()).toEqual([rooms[2], rooms[4]].sort());
    expect(said(answer.rooms[rooms[2]!])).toEqual(["hello"]);
    expect(answer.rooms[rooms[2]!]).toMatchObject({
      initial: true,
      limited: true,
      membership: "join",
      num_live: 0,
    });
  });

  test("that grows brings the others, and each room once", async () => {
    const t = await testSync();
    const rooms = [];
    for (let i = 0; i < 4; i++) rooms.push(await t.create("alice"));
    const first = await slide(t, "alice", { lists: { all: list(1, 1) } });
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(1, 3) } });
    expect(Object.keys(second.rooms).sort()).toEqual(rooms.slice(0, 2).sort());
    expect((await slide(t, "alice", { pos: second.pos, lists: { all: list(1) } })).rooms).toEqual({});
  });

  test("that a room has left and comes back to brings what happened there in the meantime", async () => {
    const t = await testSync();
    const [one, two] = [await t.create("alice"), await t.create("alice")];
    const first = await slide(t, "alice", { lists: { all: list(10, 1) } });
    await t.say("alice", one, "1");
    await t.say("alice", two, "2");
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(10, 0) } });
    expect(Object.keys(second.rooms)).toEqual([two]);
    const third = await slide(t, "alice", { pos: second.pos, lists: { all: list(10, 1) } });
    expect(Object.keys(third.rooms)).toEqual([one]);
    expect(said(third.rooms[one])).toEqual(["1"]);
    expect(third.rooms[one]!.initial).toBeUndefined();
  });
});

describe("what a client asks of a room", () => {
  test("is all that any of its lists and subscriptions asks", async () => {
    const t = await testSync();
    const roomId = await t.create("alice", { name: "Home" });
    for (const text of ["1", "2", "3"]) await t.say("alice", roomId, text);
    const { rooms } = await slide(t, "alice", {
      lists: {
        few: { timeline_limit: 1, required_state: [["m.room.name", ""]] },
        more: { timeline_limit: 2, required_state: [["m.room.create", ""]] },
      },
      room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: [["m.room.member", "$ME"]] } },
    });
    expect(said(rooms[roomId])).toEqual(["2", "3"]);
    expect(keys({ events: rooms[roomId]!.required_state! })).toEqual([
      "m.room.create",
      `m.room.member|${t.id("alice")}`,
      "m.room.name",
    ]);
  });

  test("brings events again that it has, when it asks for more of them, and only then", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    for (const text of ["1", "2", "3"]) await t.say("alice", roomId, text);
    const first = await slide(t, "alice", { lists: { all: list(1) } });
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(3) } });
    expect(said(second.rooms[roomId])).toEqual(["1", "2", "3"]);
    expect(second.rooms[roomId]).toMatchObject({ unstable_expanded_timeline: true, num_live: 0 });
    expect(second.rooms[roomId]!.initial).toBeUndefined();
    await t.say("alice", roomId, "4");
    const third = await slide(t, "alice", { pos: second.pos, lists: { all: list(3) } });
    expect(said(third.rooms[roomId])).toEqual(["4"]);
    expect(third.rooms[roomId]).toMatchObject({ limited: false, num_live: 1 });
    expect(third.rooms[roomId]!.unstable_expanded_timeline).toBeUndefined();
  });

  test("brings state when it asks for more of it, and then what changes", async () => {
    const t = await testSync();
    const roomId = await t.create("alice", { name: "Home", topic: "Talk" });
    const ask = async (pos: string | undefined, required_state: [string, string][]) => {
      const query = { lists: { all: { timeline_limit: 0, required_state } }, ...(pos && { pos }) };
      const answer = await slide(t, "alice", query);
      return { pos: answer.pos, state: keys({ events: answer.rooms[roomId]?.required_state ?? [] }) };
    };
    const first = await ask(undefined, [["m.room.name", ""]]);
    expect(first.state).toEqual(["m.room.name"]);
    const second = await ask(first.pos, [
      ["m.room.name", ""],
      ["m.room.topic", ""],
    ]);
    expect(second.state).toEqual(["m.room.topic"]);
    await t.setState("alice", roomId, "m.room.name", { name: "House" });
    await t.setState("alice", roomId, "m.room.avatar", { url: "mxc://a/b" });
    const third = await ask(second.pos, [["m.room.name", ""]]);
    expect(third.state).toEqual(["m.room.name"]);
  });

  test("of members, the ones that its events are of, each once", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    for (const who of ["bob", "carol"]) await t.act(who, "join", roomId);
    const lazy = { timeline_limit: 1, required_state: [["m.room.member", "$LAZY"]] as [string, string][] };
    const members = (answer: Awaited<ReturnType<typeof slide>>) =>
      (answer.rooms[roomId]?.required_state ?? []).map((event) => event.state_key).sort();
    await t.say("bob", roomId, "1");
    const first = await slide(t, "alice", { lists: { all: lazy } });
    expect(members(first)).toEqual([t.id("bob")]);
    await t.say("bob", roomId, "2");
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: lazy } });
    expect(members(second)).toEqual([]);
    // Who is left out for their number comes with the next event of theirs.
    const renamed = { membership: "join", displayname: "Bobby" };
    await t.setState("bob", roomId, "m.room.member", renamed, t.id("bob"));
    await t.say("carol", roomId, "3");
    const third = await slide(t, "alice", { pos: second.pos, lists: { all: lazy } });
    expect(members(third)).toEqual([t.id("carol")]);
    await t.say("bob", roomId, "4");
    const fourth = await slide(t, "alice", { pos: third.pos, lists: { all: lazy } });
    expect(fourth.rooms[roomId]!.required_state!.map((event) => event.content.displayname)).toEqual([
      "Bobby",
    ]);
    // Without a gap, all that changes.
    await t.act("carol", "leave", roomId);
    const fifth = await slide(t, "alice", { pos: fourth.pos, lists: { all: lazy } });
    expect(members(fifth)).toEqual([t.id("carol")]);
  });
});

describe("what a list shows of a room", () => {
  test("its name and picture, or who is in it, and how many", async () => {
    const t = await testSync();
    const roomId = await t.create("alice", { name: "Home" });
    await t.setState("alice", roomId, "m.room.avatar", { url: "mxc://a/b" });
    const first = await slide(t, "alice", { lists: { all: list(1) } });
    expect(first.rooms[roomId]).toMatchObject({
      name: "Home",
      avatar: "mxc://a/b",
      joined_count: 1,
      invited_count: 0,
    });
    expect(first.rooms[roomId]!.heroes).toBeUndefined();

    await t.act("bob", "join", roomId);
    await t.act("alice", "invite", roomId, "carol");
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(1) } });
    expect(second.rooms[roomId]).toMatchObject({ joined_count: 2, invited_count: 1 });
    expect(second.rooms[roomId]!.name).toBeUndefined();

    await t.setState("alice", roomId, "m.room.name", { name: "" });
    const third = await slide(t, "alice", { pos: second.pos, lists: { all: list(1) } });
    expect(third.rooms[roomId]!.name).toBeNull();
    expect(third.rooms[roomId]!.heroes!.map((hero) => hero.user_id)).toEqual([t.id("bob"), t.id("carol")]);
  });

  test("when somebody last said something, which is not when somebody came", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    await t.say("alice", roomId, "hello");
    const first = await slide(t, "alice", { lists: { all: list(1) } });
    await t.act("bob", "join", roomId);
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(1) } });
    expect(second.rooms[roomId]!.bump_stamp).toBe(first.rooms[roomId]!.bump_stamp);
    await t.say("bob", roomId, "hello");
    const third = await slide(t, "alice", { pos: second.pos, lists: { all: list(1) } });
    expect(third.rooms[roomId]!.bump_stamp).toBeGreaterThan(first.rooms[roomId]!.bump_stamp);
  });

  test("whether it is direct, also when only that has changed", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    await t.accountData.set(t.id("alice"), null, "m.direct", { [t.id("bob")]: [roomId] });
    const first = await slide(t, "alice", { lists: { all: list(1) } });
    expect(first.rooms[roomId]!.is_dm).toBe(true);
    await t.accountData.set(t.id("alice"), null, "m.direct", {});
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(1) } });
    expect(second.rooms[roomId]!.is_dm).toBe(false);
  });

  test("unread counts that go down when it is read elsewhere", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    t.push.unread.set(`${t.id("alice")} ${await t.nid(roomId)}`, {
      notification_count: 2,
      highlight_count: 1,
      threads: {},
    });
    const eventId = await t.say("alice", roomId, "hello");
    const first = await slide(t, "alice", { lists: { all: list(1) } });
    expect(first.rooms[roomId]).toMatchObject({ notification_count: 2, highlight_count: 1 });
    t.push.unread.set(`${t.id("alice")} ${await t.nid(roomId)}`, {
      notification_count: 0,
      highlight_count: 0,
      threads: {},
    });
    await t.receipts.set(await t.nid(roomId), t.id("alice"), eventId);
    const second = await slide(t, "alice", { pos: first.pos, lists: { all: list(1) } });
    expect(second.rooms[roomId]).toMatchObject({ notification_count: 0, highlight_count: 0 });
  });
});

describe("rooms that one is not in", () => {
  test("an invite comes with what it says of the room, once", async () => {
    const t = await testSync();
    const roomId = await t.create("alice", { preset: "private_chat", name: "Secret" });
    await t.say("alice", roomId, "hush");
    await t.act("alice", "invite", roomId, "bob");
    const first = await slide(t, "bob", { lists: { all: list(10) } });
    const room = first.rooms[roomId]!;
    expect(room).toMatchObject({ initial: true, membership: "invite" });
    expect(room.invite_state!.find((event) => event.type === "m.room.name")?.content.name).toBe("Secret");
    expect(room.timeline).toBeUndefined();
    expect(room.required_state).toBeUndefined();
    expect((await slide(t, "bob", { pos: first.pos, lists: { all: list(10) } })).rooms).toEqual({});
    await t.act("bob", "join", roomId);
    const joined = await slide(t, "bob", { pos: first.pos, lists: { all: list(10) } });
    expect(joined.rooms[roomId]).toMatchObject({ initial: true, membership: "join" });
  });

  test("that somebody has left is told to who knew it, once, without what came after", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    await t.act("bob", "join", roomId);
    const first = await slide(t, "bob", { lists: { all: list(10) } });
    await t.act("bob", "leave", roomId);
    await t.say("alice", roomId, "they are gone");
    const second = await slide(t, "bob", { pos: first.pos, lists: { all: list(10) } });
    expect(second.rooms[roomId]!.membership).toBe("leave");
    expect(said(second.rooms[roomId])).toEqual([]);
    expect(second.lists.all!.count).toBe(1);
    const third = await slide(t, "bob", { pos: second.pos, lists: { all: list(10) } });
    expect([third.rooms, third.lists.all!.count]).toEqual([{}, 0]);
    expect((await slide(t, "bob", { lists: { all: list(10) } })).rooms).toEqual({});
  });

  test("who was removed is told so on a new connection too", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    await t.act("bob", "join", roomId);
    await t.act("alice", "ban", roomId, "bob");
    await t.act("alice", "ban", roomId, "carol");
    const { rooms } = await slide(t, "bob", { lists: { all: list(1) } });
    expect(rooms[roomId]!.membership).toBe("ban");
    expect((await slide(t, "carol", { lists: { all: list(1) } })).rooms).toEqual({});
  });

  test("cannot be subscribed to", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const room_subscriptions = { [roomId]: list(10), "!nowhere:example.org": list(10) };
    expect((await slide(t, "bob", { room_subscriptions })).rooms).toEqual({});
  });

  test("whoever is ignored cannot invite", async () => {
    const t = await testSync();
    const roomId = await t.create("alice", { preset: "private_chat" });
    await t.act("alice", "invite", roomId, "bob");
    const ignored_users = { [t.id("alice")]: {} };
    await t.accountData.set(t.id("bob"), null, "m.ignored_user_list", { ignored_users });
    expect((await slide(t, "bob", { lists: { all: list(1) } })).rooms).toEqual({});
  });
});

describe("filters", () => {
  const names = async (t: TestSync, filters: ListFilters) => {
    const answer = await slide(t, "alice", { lists: { all: { ...list(1), filters } } });
    expect(answer.lists.all!.count).toBe(Object.keys(answer.rooms).length);
    return Object.values(answer.rooms)
      .map((room) => room.name ?? "an invite")
      .sort();
  };

  test("tell rooms apart by their kind, and by what the user makes of them", async () => {
    const t = await testSync();
    const encryption = {
      type: "m.room.encryption",
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    };
    const plain = await t.create("alice", { name: "Plain" });
    const secret = await t.create("alice", { name: "Secret", initial_state: [encryption] });
    const space = await t.create("alice", { name: "Space", creation_content: { type: "m.space" } });
    const invite = await t.create("bob", { preset: "private_chat", creation_content: { type: "m.space" } });
    await t.act("bob", "invite", invite, "alice");
    await t.setState("alice", space, "m.space.child", { via: ["example.org"] }, plain);
    await t.setState("alice", space, "m.space.child", {}, secret);
    await t.accountData.set(t.id("alice"), null, "m.direct", { [t.id("bob")]: [secret] });
    await t.accountData.set(t.id("alice"), plain, "m.tag", { tags: { "m.favourite": {}, "u.old": {} } });

    expect(await names(t, {})).toEqual(["Plain", "Secret", "Space", "an invite"]);
    expect(await names(t, { is_encrypted: true })).toEqual(["Secret"]);
    expect(await names(t, { is_encrypted: false, is_invite: false })).toEqual(["Plain", "Space"]);
    expect(await names(t, { is_invite: true })).toEqual(["an invite"]);
    expect(await names(t, { is_dm: true })).toEqual(["Secret"]);
    expect(await names(t, { is_dm: false, is_invite: false })).toEqual(["Plain", "Space"]);
    expect(await names(t, { room_types: ["m.space"] })).toEqual(["Space", "an invite"]);
    expect(await names(t, { room_types: [null] })).toEqual(["Plain", "Secret"]);
    expect(await names(t, { room_types: [null, "m.space"], not_room_types: [null] })).toEqual([
      "Space",
      "an invite",
    ]);
    expect(await names(t, { room_name_like: "PLA" })).toEqual(["Plain"]);
    expect(await names(t, { tags: ["m.favourite", "m.lowpriority"] })).toEqual(["Plain"]);
    expect(await names(t, { tags: ["m.favourite"], not_tags: ["u.old"] })).toEqual([]);
    expect(await names(t, { spaces: [space, "!nowhere:example.org"] })).toEqual(["Plain"]);

    // What they go by may change.
    await t.setState("alice", plain, "m.room.encryption", encryption.content);
    await t.accountData.set(t.id("alice"), plain, "m.tag", { tags: {} });
    expect(await names(t, { is_encrypted: true })).toEqual(["Plain", "Secret"]);
    expect(await names(t, { tags: ["m.favourite"] })).toEqual([]);
  });
});

describe("extensions", () => {
  const wanted = { account_data: { enabled: true }, receipts: { enabled: true }, typing: { enabled: true } };

  test("bring what is there of the rooms that match, and then what changes", async () => {
    const t = await testSync();
    const [roomId, other] = [await t.create("alice"), await t.create("alice")];
    const room = await t.nid(roomId);
    const eventId = await t.say("alice", roomId, "hello");
    await t.act("bob", "join", roomId);
    await t.accountData.set(t.id("alice"), null, "m.direct", { "@bob:b": ["!r"] });
    for (const each of [roomId, other]) await t.accountData.set(t.id("alice"), each, "m.tag", { tags: {} });
    await t.receipts.set(room, t.id("bob"), eventId);
    await t.typing.set(room, [t.id("bob")]);

    const lists = { all: list(10, 0) };
    const first = await slide(t, "alice", { lists, extensions: wanted });
    expect(first.extensions.account_data!.global.map((event) => event.type)).toEqual([
      "m.direct",
      "m.push_rules",
    ]);
    expect(Object.keys(first.extensions.account_data!.rooms)).toEqual([roomId]);
    expect(first.extensions.receipts!.rooms[roomId]!.content[eventId]).toMatchObject({
      "m.read": { [t.id("bob")]: { ts: expect.any(Number) } },
    });
    expect(first.extensions.typing!.rooms[roomId]!.content).toEqual({ user_ids: [t.id("bob")] });

    const second = await slide(t, "alice", { pos: first.pos, lists, extensions: wanted });
    expect(second.extensions).toEqual({ account_data: { global: [], rooms: {} } });

    await t.typing.set(room, []);
    const third = await slide(t, "alice", { pos: second.pos, lists, extensions: wanted });
    expect(third.extensions.typing!.rooms[roomId]!.content).toEqual({ user_ids: [] });
    expect(third.rooms).toEqual({});
  });

  test("are about the lists and subscriptions that they name", async () => {
    const t = await testSync();
    const [one, two] = [await t.create("alice"), await t.create("alice")];
    for (const each of [one, two]) await t.accountData.set(t.id("alice"), each, "m.tag", { tags: {} });
    const tagged = async (extension: object) => {
      const query = {
        lists: { newest: list(1, 0) },
        room_subscriptions: { [one]: list(1) },
        extensions: { account_data: { enabled: true, ...extension } },
      };
      return Object.keys((await slide(t, "alice", query)).extensions.account_data!.rooms).sort();
    };
    expect(await tagged({})).toEqual([one, two].sort());
    expect(await tagged({ lists: [] })).toEqual([one]);
    expect(await tagged({ rooms: [] })).toEqual([two]);
    expect(await tagged({ lists: ["newest"], rooms: [two] })).toEqual([two]);
    expect(await tagged({ lists: ["unknown"], rooms: [one] })).toEqual([one]);
  });

  test("of a room that comes back into the window bring what has changed in the meantime", async () => {
    const t = await testSync();
    const [one, two] = [await t.create("alice"), await t.create("alice")];
    const eventId = await t.say("alice", one, "hello");
    await t.say("alice", two, "hello");
    const both = await slide(t, "alice", { lists: { all: list(1, 1) }, extensions: wanted });
    await t.accountData.set(t.id("alice"), one, "m.tag", { tags: { "m.favourite": {} } });
    await t.receipts.set(await t.nid(one), t.id("bob"), eventId);
    const first = await slide(t, "alice", { pos: both.pos, lists: { all: list(1, 0) }, extensions: wanted });
    expect(first.extensions.account_data!.rooms).toEqual({});
    const again = await slide(t, "alice", { pos: first.pos, lists: { all: list(1, 1) }, extensions: wanted });
    expect(again.extensions.account_data!.rooms[one]![0]!.content).toEqual({ tags: { "m.favourite": {} } });
    expect(Object.keys(again.extensions.receipts!.rooms)).toEqual([one]);
  });
});

describe("the extension e2ee", () => {
  const extensions = { e2ee: { enabled: true } };
  const LONG = 3_600_000;

  test("tells of devices and of keys, and ends a wait for them", async () => {
    const t = await testSync();
    const roomId = await t.create("bob");
    await t.act("alice", "join", roomId);
    const first = await slide(t, "alice", { extensions });
    expect(first.extensions.e2ee).toEqual({
      device_lists: { changed: [], left: [] },
      device_one_time_keys_count: { signed_curve25519: 0 },
      device_unused_fallback_key_types: [],
    });
    const changed = slide(t, "alice", { pos: first.pos, timeout: LONG, extensions });
    await t.keys.change(t.id("bob"));
    const second = await changed;
    expect(second.extensions.e2ee!.device_lists).toEqual({ changed: [t.id("bob")], left: [] });
    const claimed = slide(t, "alice", { pos: second.pos, timeout: LONG, extensions });
    await t.keys.claim(t.id("alice"), t.user("alice").deviceId!);
    const third = await claimed;
    expect(third.extensions.e2ee!.device_lists).toEqual({ changed: [], left: [] });
    const gone = slide(t, "alice", { pos: third.pos, timeout: LONG, extensions });
    await t.act("bob", "leave", roomId);
    expect((await gone).extensions.e2ee!.device_lists).toEqual({ changed: [], left: [t.id("bob")] });
  });

  test("is not there for who does not ask for it, and wakes nobody else", async () => {
    const t = await testSync();
    const roomId = await t.create("bob");
    await t.act("alice", "join", roomId);
    const first = await slide(t, "alice", {});
    expect(first.extensions).not.toHaveProperty("e2ee");
    await t.keys.change(t.id("bob"));
    expect((await slide(t, "alice", { pos: first.pos })).extensions).toEqual({});
  });
});

describe("a connection", () => {
  test("waits for something new in its rooms, and is answered as soon as it comes", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const lists = { all: list(1) };
    const first = await slide(t, "alice", { lists });
    const waiting = slide(t, "alice", { pos: first.pos, lists, timeout: 25_000 });
    await t.say("alice", roomId, "hello");
    expect(said((await waiting).rooms[roomId])).toEqual(["hello"]);
  });

  test("is answered without news when its client goes, or asks again", async () => {
    const t = await testSync();
    const lists = { all: list(1) };
    const { pos } = await slide(t, "alice", { lists });
    const gone = slide(t, "alice", { pos, lists, timeout: 25_000 }, "gone");
    await t.sync.cancel("gone");
    expect((await gone).rooms).toEqual({});
    const superseded = slide(t, "alice", { pos, lists, timeout: 25_000 });
    const roomId = await t.create("alice");
    const again = await slide(t, "alice", { pos, lists, txn_id: "again" });
    expect(Object.keys(again.rooms)).toEqual([roomId]);
    expect(again.txn_id).toBe("again");
    await superseded;
  });

  test("may ask again with the pos that it has, with another than before, and not with older ones", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const lists = { all: list(1) };
    const first = await slide(t, "alice", { lists });
    await t.say("alice", roomId, "hello");
    const lost = await slide(t, "alice", { pos: first.pos, lists });
    const second = await slide(t, "alice", { pos: first.pos, lists });
    for (const answer of [lost, second]) expect(said(answer.rooms[roomId])).toEqual(["hello"]);
    expect((await slide(t, "alice", { pos: second.pos, lists })).rooms).toEqual({});
    const unknown = { errcode: "M_UNKNOWN_POS", status: 400 };
    for (const pos of [first.pos, lost.pos, "s1_x", ""]) {
      await expect(slide(t, "alice", { pos, lists })).rejects.toMatchObject(unknown);
    }
    // Nor is one known of another device, or connection.
    const { pos } = await slide(t, "alice", { lists });
    await expect(slide(t, "alice", { pos, lists, device: "OTHER" })).rejects.toMatchObject(unknown);
    await expect(slide(t, "alice", { pos, lists, conn_id: "other" })).rejects.toMatchObject(unknown);
    expect((await slide(t, "alice", { pos, lists })).rooms).toEqual({});
  });

  test("stands beside others of its device, of which so many are kept", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const lists = { all: list(1) };
    const first = await slide(t, "alice", { lists, conn_id: "0" });
    expect(Object.keys((await slide(t, "alice", { lists, conn_id: "1" })).rooms)).toEqual([roomId]);
    expect((await slide(t, "alice", { pos: first.pos, lists, conn_id: "0" })).rooms).toEqual({});
    const another = await slide(t, "alice", { lists, conn_id: "0" });
    for (let i = 2; i < 30; i++) await slide(t, "alice", { lists, conn_id: `${i}` });
    const asked = slide(t, "alice", { pos: another.pos, lists, conn_id: "0" });
    await expect(asked).rejects.toMatchObject({ errcode: "M_UNKNOWN_POS" });
  });

  test("without lists has only its extensions", async () => {
    const t = await testSync();
    await t.create("alice");
    const answer = await slide(t, "alice", { extensions: { account_data: { enabled: true } } });
    expect([answer.lists, answer.rooms]).toEqual([{}, {}]);
    expect(answer.extensions.account_data!.global.map((event) => event.type)).toEqual(["m.push_rules"]);
  });
});
