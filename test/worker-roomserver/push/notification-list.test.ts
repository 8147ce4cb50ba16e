import { describe, expect, test } from "vitest";
import { dropOldNotifications } from "../../../src/worker-roomserver/push/notification-list.ts";
import { purgeRoom } from "../../../src/worker-roomserver/room/purge/purge-room.ts";
import { refusal } from "../support/requester.ts";
import { failCommit } from "../support/rounds.ts";
import { openPushTest as open, type PushTest } from "./support/push.ts";

const page = (
  t: PushTest,
  who: string,
  query: { from?: string; limit?: number; onlyHighlights?: boolean } = {},
) => t.push.notifications(t.user(who), { limit: 20, onlyHighlights: false, ...query });
const ids = async (t: PushTest, who: string, query = {}) =>
  (await page(t, who, query)).notifications.map(({ event }) => event.event_id);
const mention = (t: PushTest, who: string) => ({ "m.mentions": { user_ids: [t.user(who).userId] } });

describe("the list of notifications", () => {
  test("has what the user was notified of, the newest first, and no more", async () => {
    const t = await open();
    const [tea, cake] = [await t.roomOf("alice", "bob"), await t.roomOf("alice", "bob", "carol")];
    const first = await t.send("alice", tea);
    await t.send("alice", tea, { msgtype: "m.notice" });
    await t.send("bob", tea);
    await t.push.caughtUp(t.storage.position);
    t.world.clock.now += 5;
    const second = await t.send("alice", cake, mention(t, "bob"));
    const { notifications } = await page(t, "bob", { limit: 2 });
    expect(notifications.map(({ event }) => event.event_id)).toEqual([second, first]);
    expect(notifications[0]).toMatchObject({
      room_id: cake,
      read: false,
      actions: ["notify", { set_tweak: "sound", value: "default" }, { set_tweak: "highlight" }],
      event: { type: "m.room.message", sender: t.user("alice").userId, content: { body: "hi" } },
    });
    expect(notifications[0]!.event).not.toHaveProperty("room_id");
    const [latest, earlier] = notifications;
    expect(latest!.ts - earlier!.ts).toBe(5);
    expect(await ids(t, "dave")).toEqual([]);
  });

  test("says what has been read", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const first = await t.send("alice", roomId);
    await t.send("alice", roomId);
    await t.read("bob", roomId, first);
    const { notifications } = await page(t, "bob");
    expect(notifications.map(({ read }) => read)).toEqual([false, true, true]); // the last is the invitation
  });

  test("can be had in pages, which do not move while more comes", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const sent: string[] = [];
    for (let i = 0; i < 5; i++) sent.unshift(await t.send("alice", roomId));
    const first = await page(t, "bob", { limit: 2 });
    expect(first.notifications.map(({ event }) => event.event_id)).toEqual(sent.slice(0, 2));
    await t.send("alice", roomId);
    const second = await page(t, "bob", { limit: 2, from: first.next_token! });
    expect(second.notifications.map(({ event }) => event.event_id)).toEqual(sent.slice(2, 4));
    await t.send("alice", roomId);
    // The invitation is the oldest.
    const last = await page(t, "bob", { limit: 2, from: second.next_token! });
    expect(last.notifications[0]!.event.event_id).toBe(sent[4]);
    expect(last.notifications[1]!.event).toMatchObject({ type: "m.room.member" });
    expect(last).not.toHaveProperty("next_token");
    expect(await refusal(page(t, "bob", { from: "x" }))).toEqual({ errcode: "M_INVALID_PARAM", status: 400 });
  });

  test("can be of highlights alone, however far apart they are", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const marked: string[] = [];
    for (let i = 0; i < 3; i++) {
      marked.unshift(await t.send("alice", roomId, mention(t, "bob")));
      for (let j = 0; j < 5; j++) await t.send("alice", roomId);
    }
    expect(await ids(t, "bob", { onlyHighlights: true, limit: 2 })).toEqual(marked.slice(0, 2));
    const { next_token } = await page(t, "bob", { onlyHighlights: true, limit: 2 });
    expect(await ids(t, "bob", { onlyHighlights: true, limit: 2, from: next_token! })).toEqual(
      marked.slice(2),
    );
  });

  test("goes on after a page that looked at much and found little", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const marked = await t.send("alice", roomId, mention(t, "bob"));
    for (let i = 0; i < 510; i++) await t.send("alice", roomId);
    const first = await page(t, "bob", { onlyHighlights: true });
    expect(first.notifications).toEqual([]);
    expect(await ids(t, "bob", { onlyHighlights: true, from: first.next_token! })).toEqual([marked]);
  });

  test("leaves out what was redacted, what is in no room any more, and what the user may not see", async () => {
    const t = await open();
    const [tea, cake] = [await t.roomOf("alice", "bob"), await t.roomOf("alice", "bob")];
    const gone = await t.send("alice", tea);
    const kept = await t.send("alice", tea);
    await t.send("alice", cake);
    await t.redact("alice", tea, gone);
    await t.push.caughtUp(t.storage.position);
    await purgeRoom(t.parts, cake, { leave: false });
    const listed = await ids(t, "bob");
    expect(listed[0]).toBe(kept);
    expect(listed).toHaveLength(2); // the other is the invitation to tea
  });

  test("is the same under the next leader, and after a rollback", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    for (let i = 0; i < 3; i++) await t.send("alice", roomId);
    const before = await ids(t, "bob");
    expect(before).toHaveLength(4);
    await failCommit(t.storage);
    expect(await ids(t, "bob")).toEqual(before);
    t.push.close();
    const next = await open(t.storage.name);
    expect(await ids(next, "bob")).toEqual(before);
  });

  test("is kept so far back and no further, for each user", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob", "carol");
    for (let i = 0; i < 6; i++) await t.send("alice", roomId);
    await t.send("carol", roomId);
    await t.push.caughtUp(t.storage.position);
    const newest = { bob: (await ids(t, "bob")).slice(0, 3), alice: await ids(t, "alice") };
    let units = 0;
    for await (const _ of dropOldNotifications(t.storage, 3)) units += 1;
    expect(units).toBe(3);
    expect(await ids(t, "bob")).toEqual(newest.bob);
    expect(newest.alice).toHaveLength(1);
    expect(await ids(t, "alice")).toEqual(newest.alice);
    expect(await t.storage.getAllKeys("notifications")).toHaveLength(3 + 3 + 1);
  });
});
