import { describe, expect, test } from "vitest";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import { purgeRoom } from "../../../src/worker-roomserver/room/purge/purge-room.ts";
import { finishPurges } from "../../../src/worker-roomserver/room/purge/remove.ts";
import { failCommit, until } from "../support/rounds.ts";
import { inThread, openPushTest as open, unread } from "./support/push.ts";

describe("unread counts", () => {
  test("are of others' messages, and of nothing else", async () => {
    const { send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob", "carol");
    await send("alice", roomId);
    await send("alice", roomId, { msgtype: "m.notice" });
    await send("alice", roomId, {}, "m.reaction");
    await send("alice", roomId, {}, "m.room.encrypted");
    expect(await counts("alice", roomId)).toEqual(unread(0));
    expect(await counts("bob", roomId)).toEqual(unread(2));
    expect(await counts("dave", roomId)).toEqual(unread(0));
  });

  test("are nothing right after joining, and an invitation counts until then", async () => {
    const { send, act, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    await send("alice", roomId);
    await act("alice", "invite", roomId, "carol");
    expect(await counts("carol", roomId)).toEqual(unread(1));
    await act("carol", "join", roomId);
    expect(await counts("carol", roomId)).toEqual(unread(0));
    await send("alice", roomId);
    expect(await counts("carol", roomId)).toEqual(unread(1));
    expect(await counts("bob", roomId)).toEqual(unread(2));
  });

  test("go with those who leave, and do not come back with them", async () => {
    const { send, act, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const root = await send("alice", roomId);
    await send("alice", roomId, inThread(root));
    await act("alice", "kick", roomId, "bob");
    expect(await counts("bob", roomId)).toEqual(unread(0));
    await send("alice", roomId);
    await act("alice", "invite", roomId, "bob");
    expect(await counts("bob", roomId)).toEqual(unread(1));
    await act("bob", "leave", roomId);
    expect(await counts("bob", roomId)).toEqual(unread(0));
  });

  test("highlight mentions of the user, and of the room by those who may", async () => {
    const { user, send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob", "carol");
    await send("bob", roomId, { "m.mentions": { user_ids: [user("carol").userId] } });
    await send("bob", roomId, { "m.mentions": { room: true } });
    expect(await counts("carol", roomId)).toEqual(unread(2, 1));
    await send("alice", roomId, { "m.mentions": { room: true } });
    expect(await counts("carol", roomId)).toEqual(unread(3, 2));
  });

  test("end where a receipt says so, public or private, whichever is further", async () => {
    const { send, roomOf, read, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const [first, second, third] = [
      await send("alice", roomId),
      await send("alice", roomId),
      await send("alice", roomId),
    ];
    await read("bob", roomId, second);
    expect(await counts("bob", roomId)).toEqual(unread(1));
    await read("bob", roomId, first, undefined, true);
    expect(await counts("bob", roomId)).toEqual(unread(1));
    await read("bob", roomId, third, undefined, true);
    expect(await counts("bob", roomId)).toEqual(unread(0));
  });

  test("have nothing to do with the fully read marker", async () => {
    const { user, receipts, send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const eventId = await send("alice", roomId);
    await receipts.set(user("bob"), [{ roomId, type: "m.fully_read", eventId }]);
    expect(await counts("bob", roomId)).toEqual(unread(1));
  });

  test("are kept by thread, and read by thread", async () => {
    const { send, roomOf, read, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const root = await send("alice", roomId);
    const reply = await send("alice", roomId, inThread(root));
    const last = await send("alice", roomId);
    const one = { notification_count: 1, highlight_count: 0 };
    expect(await counts("bob", roomId)).toEqual(unread(2, 0, { [root]: one }));
    await read("bob", roomId, last, "main");
    expect(await counts("bob", roomId)).toEqual(unread(0, 0, { [root]: one }));
    await read("bob", roomId, reply, root);
    expect(await counts("bob", roomId)).toEqual(unread(0));
    await send("alice", roomId);
    const all = await send("alice", roomId, inThread(root));
    await read("bob", roomId, all);
    expect(await counts("bob", roomId)).toEqual(unread(0));
  });

  test("end where the user has spoken, in that thread", async () => {
    const { send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const root = await send("alice", roomId);
    await send("alice", roomId, inThread(root));
    await send("bob", roomId);
    const one = { notification_count: 1, highlight_count: 0 };
    expect(await counts("bob", roomId)).toEqual(unread(0, 0, { [root]: one }));
    await send("bob", roomId, inThread(root));
    expect(await counts("bob", roomId)).toEqual(unread(0));
  });

  test("do not end where the user has only got another name", async () => {
    const { user, request, rooms, send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    await send("alice", roomId);
    const { userId } = user("bob");
    const content = { membership: "join", displayname: "Robert" };
    await rooms.setState(request(), user("bob"), {
      roomId,
      type: "m.room.member",
      stateKey: userId,
      content,
    });
    expect(await counts("bob", roomId)).toEqual(unread(1));
    const topic = { roomId, type: "m.room.topic", stateKey: "", content: { topic: "x" } };
    await rooms.setState(request(), user("alice"), topic);
    expect(await counts("bob", roomId)).toEqual(unread(1));
  });

  test("do not count what was redacted", async () => {
    const { user, rooms, send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob");
    const eventId = await send("alice", roomId);
    await send("alice", roomId);
    expect(await counts("bob", roomId)).toEqual(unread(2));
    await rooms.redact(user("alice"), { roomId, eventId, txnId: "r", content: {} });
    expect(await counts("bob", roomId)).toEqual(unread(1));
  });

  test("leave out those whom the user ignores", async () => {
    const { user, accountData, send, roomOf, counts } = await open();
    const roomId = await roomOf("alice", "bob", "carol");
    await send("alice", roomId);
    expect(await counts("bob", roomId)).toEqual(unread(1));
    const ignored_users = { [user("alice").userId]: {} };
    await accountData.set(user("bob"), user("bob").userId, null, "m.ignored_user_list", { ignored_users });
    await send("alice", roomId);
    await send("carol", roomId);
    expect(await counts("bob", roomId)).toEqual(unread(2));
    expect(await counts("carol", roomId)).toEqual(unread(0));
  });
});

describe("push rules", () => {
  test("are the default ones, for clients and for sync", async () => {
    const { user, push } = await open();
    const { userId } = user("alice");
    const global = defaultRuleset(userId);
    expect(await push.rules(user("alice"))).toEqual({ global });
    expect(await push.rulesEvent(userId)).toEqual({ type: "m.push_rules", content: { global } });
  });
});

describe("under the next leader", () => {
  test("counts are what they were, and go on", async () => {
    const before = await open();
    const roomId = await before.roomOf("alice", "bob");
    const eventId = await before.send("alice", roomId);
    await before.send("alice", roomId);
    expect(await before.counts("bob", roomId)).toEqual(unread(2));
    await until(async () => (await before.storage.getAllKeys("pushActions")).length === 2);
    before.push.close();
    const after = await open(before.storage.name);
    expect(await after.counts("bob", roomId)).toEqual(unread(2));
    await after.read("bob", roomId, eventId);
    expect(await after.counts("bob", roomId)).toEqual(unread(1));
    await until(async () => (await after.storage.getAllKeys("pushActions")).length === 1);
  });

  test("what the last one had not judged is judged as it was then", async () => {
    const before = await open();
    const { user, rooms, request } = before;
    const { room_id: roomId } = await rooms.createRoom(request(), user("alice"), { preset: "public_chat" });
    await before.act("bob", "join", roomId);
    const root = await before.send("alice", roomId);
    await until(async () => (await before.storage.getAllKeys("pushActions")).length === 1);
    before.push.close();
    await before.send("alice", roomId, inThread(root));
    await before.act("carol", "join", roomId);
    await before.send("bob", roomId);
    const content = { membership: "join", displayname: "Robert" };
    const renamed = { roomId, type: "m.room.member", stateKey: user("bob").userId, content };
    await rooms.setState(request(), user("bob"), renamed);
    const after = await open(before.storage.name);
    const one = { notification_count: 1, highlight_count: 0 };
    expect(await after.counts("alice", roomId)).toEqual(unread(1));
    // Whoever has a new name since was there all the same; who has come since was not.
    expect(await after.counts("bob", roomId)).toEqual(unread(0, 0, { [root]: one }));
    expect(await after.counts("carol", roomId)).toEqual(unread(1));
  });
});

test("counts survive a rollback", async () => {
  const { storage, send, roomOf, counts } = await open();
  const roomId = await roomOf("alice", "bob");
  await send("alice", roomId);
  expect(await counts("bob", roomId)).toEqual(unread(1));
  await failCommit(storage);
  expect(await counts("bob", roomId)).toEqual(unread(1));
  await send("alice", roomId);
  expect(await counts("bob", roomId)).toEqual(unread(2));
});

describe("a room that is purged", () => {
  test("has nothing unread, also for who comes back to it", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const other = await t.roomOf("alice", "bob");
    for (const each of [roomId, other]) await t.send("alice", each);
    expect((await t.counts("bob", roomId)).notification_count).toBe(1);
    await purgeRoom(t.parts, roomId, { leave: false });
    expect((await t.counts("bob", roomId)).notification_count).toBe(0);
    expect((await t.counts("bob", other)).notification_count).toBe(1);
    // The reader's rows follow, those of before the purge too.
    const room = (await t.rooms.nid(roomId))!;
    await until(async () => {
      await t.storage.flushed();
      return (await t.storage.getAllKeys("pushActions")).every((key) => key[1] !== room);
    });
  });

  test.each([1, 2, 3, Number.POSITIVE_INFINITY])(
    "is passed over by a reader that is behind, after %s units of its removal",
    async (units) => {
      const t = await open();
      const roomId = await t.roomOf("alice", "bob");
      const other = await t.roomOf("alice", "bob");
      t.push.close();
      for (let i = 0; i < 210; i++) await t.send("alice", roomId);
      const redacted = await t.send("alice", roomId);
      const redaction = { roomId, eventId: redacted, txnId: "r", content: {} };
      await t.rooms.redact(t.user("alice"), redaction);
      await t.send("alice", other);
      await purgeRoom(t.parts, roomId);
      let done = 0;
      for await (const _ of finishPurges(t.parts)) if (++done >= units) break;
      const next = await open(t.storage.name);
      expect((await next.counts("bob", other)).notification_count).toBe(1);
      expect((await next.counts("bob", roomId)).notification_count).toBe(0);
    },
  );
});
