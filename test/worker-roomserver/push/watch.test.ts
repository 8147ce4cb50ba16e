import { describe, expect, test } from "vitest";
import type { NotificationNews } from "../../../src/worker-roomserver/push/api.ts";
import { refusal } from "../support/requester.ts";
import { failCommit, nextTask } from "../support/rounds.ts";
import { openPushTest as open, type PushTest } from "./support/push.ts";

/** Long enough that a test that waited for it would fail. */
const LONG_MS = 60_000;

const watch = (t: PushTest, who: string, from?: string, timeout = 0) =>
  t.push.watch(t.user(who), from, timeout);
const ids = ({ notifications }: NotificationNews) => notifications.map(({ event_id }) => event_id);

describe("who watches", () => {
  test("is shown what comes from then on, with what it needs to be shown", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    await t.send("alice", roomId);
    const { next, ...first } = await watch(t, "bob", undefined, LONG_MS);
    expect(first).toEqual({ notifications: [], read: [] });
    const eventId = await t.send("alice", roomId);
    const news = await watch(t, "bob", next, LONG_MS);
    expect(news.notifications).toEqual([
      {
        room_id: roomId,
        event_id: eventId,
        type: "m.room.message",
        sender: t.user("alice").userId,
        sender_display_name: "alice",
        content: { body: "hi", msgtype: "m.text" },
        ts: expect.any(Number),
        tweaks: { sound: "default" },
      },
    ]);
    expect((await watch(t, "bob", news.next)).notifications).toEqual([]);
    expect((await watch(t, "alice", next)).notifications).toEqual([]);
  });

  test("waits for something, and no longer than asked to", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const { next } = await watch(t, "bob");
    let isAnswered = false;
    const news = Promise.all([watch(t, "bob", next, LONG_MS), watch(t, "bob", next, LONG_MS)]);
    void news.then(() => {
      isAnswered = true;
    });
    await t.send("bob", roomId);
    await t.push.caughtUp(t.storage.position);
    await nextTask();
    expect(isAnswered).toBe(false);
    const eventId = await t.send("alice", roomId);
    expect((await news).map(ids)).toEqual([[eventId], [eventId]]);
    const later = (await news)[0].next;
    expect(ids(await watch(t, "bob", later, 1))).toEqual([]);
  });

  test("is told of rooms in which nothing is unread any more, and not shown what has been read", async () => {
    const t = await open();
    const [tea, cake] = [await t.roomOf("alice", "bob"), await t.roomOf("alice", "bob")];
    const { next } = await watch(t, "bob");
    const first = await t.send("alice", tea);
    const last = await t.send("alice", cake);
    await t.read("bob", tea, first);
    const news = await watch(t, "bob", next);
    expect(ids(news)).toEqual([last]);
    expect(news.read).toEqual([tea]);
    await t.send("alice", cake);
    await t.read("bob", cake, last);
    expect((await watch(t, "bob", news.next)).read).toEqual([]);
  });

  test("is shown the newest of a flood", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const { next } = await watch(t, "bob");
    const sent: string[] = [];
    for (let i = 0; i < 110; i++) sent.push(await t.send("alice", roomId));
    expect(ids(await watch(t, "bob", next))).toEqual(sent.slice(-20));
  });

  test("is not shown what was redacted", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const { next } = await watch(t, "bob");
    await t.redact("alice", roomId, await t.send("alice", roomId));
    expect(ids(await watch(t, "bob", next))).toEqual([]);
  });

  test("goes on with the next leader, and after a rollback", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const { next } = await watch(t, "bob");
    const sent = [await t.send("alice", roomId)];
    await failCommit(t.storage);
    expect(ids(await watch(t, "bob", next))).toEqual(sent);
    t.push.close();
    sent.push(await t.send("alice", roomId));
    const then = await open(t.storage.name);
    expect(ids(await watch(then, "bob", next))).toEqual(sent);
  });

  test("is forgotten after some time, and finds in the store what came meanwhile", async () => {
    const t = await open();
    const roomId = await t.roomOf("alice", "bob");
    const { next } = await watch(t, "bob");
    t.world.clock.now += 10 * 60_000;
    const eventId = await t.send("alice", roomId);
    expect(ids(await watch(t, "bob", next))).toEqual([eventId]);
  });

  test("is refused with a token that is none", async () => {
    const t = await open();
    expect(await refusal(watch(t, "bob", "x"))).toEqual({ errcode: "M_INVALID_PARAM", status: 400 });
  });
});
