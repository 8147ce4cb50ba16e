import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { aggregations, presented } from "../../../../src/worker-roomserver/room/query/aggregations.ts";
import { relating, type TestParts, testParts } from "../../support/room-parts.ts";

const none: ReadonlySet<string> = new Set();

/** What is summed up about one event for a user. */
async function summary(
  t: TestParts,
  eventId: string,
  who = "alice",
  ignored = none,
): Promise<JsonObject | undefined> {
  const event = (await t.events.byId(eventId))!;
  return (await aggregations(t, t.user(who), [event], { form: "full", ignored })).get(eventId);
}

const edits = (eventId: string, body: string) =>
  relating("m.replace", eventId, { body: `* ${body}`, "m.new_content": { body } });

/** A room of alice, bob and carol, and an event of alice's in it. */
async function withEvent(): Promise<{ t: TestParts; roomId: string; eventId: string }> {
  const t = await testParts();
  const roomId = await t.create("alice", { preset: "public_chat" });
  await t.act(roomId, "join", "bob");
  await t.act(roomId, "join", "carol");
  return { t, roomId, eventId: await t.send(roomId, "alice", { body: "x" }) };
}

test("of an event that nothing relates to, or that nothing is summed up for, nothing is said", async () => {
  const { t, roomId, eventId } = await withEvent();
  expect(await summary(t, eventId)).toBeUndefined();
  await t.send(roomId, "alice", relating("m.annotation", eventId, {}), "m.reaction");
  expect(await summary(t, eventId)).toBeUndefined();
});

describe("m.replace", () => {
  test("is the latest valid edit, with what it says", async () => {
    const { t, roomId, eventId } = await withEvent();
    await t.send(roomId, "alice", edits(eventId, "a"));
    const latest = await t.send(roomId, "alice", edits(eventId, "b"));
    await t.send(roomId, "bob", edits(eventId, "of somebody else"));
    await t.send(roomId, "alice", relating("m.replace", eventId, { body: "no new content" }));
    await t.send(roomId, "alice", edits(eventId, "of another type"), "m.sticker");
    await t.send(roomId, "alice", edits(latest, "of an edit"));
    expect(await summary(t, eventId)).toMatchObject({
      "m.replace": {
        event_id: latest,
        sender: t.user("alice").userId,
        type: "m.room.message",
        content: edits(eventId, "b"),
        room_id: roomId,
      },
    });
    expect(await summary(t, latest)).toBeUndefined();
  });

  test("goes by what servers say of the time, and not by what came last", async () => {
    const { t, roomId, eventId } = await withEvent();
    const later = await t.send(roomId, "alice", edits(eventId, "later"));
    t.clock.now -= 1_000;
    await t.send(roomId, "alice", edits(eventId, "of an earlier time"));
    expect(await summary(t, eventId)).toMatchObject({ "m.replace": { event_id: later } });
  });

  test("is the edit before, once the latest is redacted, and none once the event is", async () => {
    const { t, roomId, eventId } = await withEvent();
    const first = await t.send(roomId, "alice", edits(eventId, "a"));
    const second = await t.send(roomId, "alice", edits(eventId, "b"));
    await t.redact(roomId, "alice", second);
    expect(await summary(t, eventId)).toMatchObject({ "m.replace": { event_id: first } });
    await t.redact(roomId, "alice", eventId);
    expect(await summary(t, eventId)).toBeUndefined();
  });

  test("of an encrypted event is an encrypted one, whatever is in it", async () => {
    const { t, roomId } = await withEvent();
    const secret = { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "x" };
    const eventId = await t.send(roomId, "alice", secret, "m.room.encrypted");
    await t.send(roomId, "alice", edits(eventId, "not encrypted"));
    expect(await summary(t, eventId)).toBeUndefined();
    const edit = await t.send(roomId, "alice", relating("m.replace", eventId, secret), "m.room.encrypted");
    expect(await summary(t, eventId)).toMatchObject({ "m.replace": { event_id: edit } });
  });

  test("is not there for state events", async () => {
    const { t, roomId } = await withEvent();
    const topic = await t.setState(roomId, "alice", "m.room.topic", { topic: "x" });
    await t.send(roomId, "alice", edits(topic, "y"), "m.room.topic");
    await t.send(roomId, "alice", relating("m.reference", topic));
    expect(await summary(t, topic)).toBeUndefined();
  });
});

describe("m.reference", () => {
  test("lists the events, the oldest first", async () => {
    const { t, roomId, eventId } = await withEvent();
    const one = await t.send(roomId, "alice", relating("m.reference", eventId));
    const gone = await t.send(roomId, "alice", relating("m.reference", eventId));
    const other = await t.send(roomId, "bob", relating("m.reference", eventId), "m.sticker");
    await t.redact(roomId, "alice", gone);
    const chunk = [{ event_id: one }, { event_id: other }];
    expect(await summary(t, eventId)).toEqual({ "m.reference": { chunk } });
    expect(await summary(t, eventId, "alice", new Set([t.user("bob").userId]))).toEqual({
      "m.reference": { chunk: [{ event_id: one }] },
    });
  });
});

describe("m.thread", () => {
  const thread = async (...args: Parameters<typeof summary>) => {
    const about = (await summary(...args))?.["m.thread"] as
      | { latest_event: JsonObject; count: number; current_user_participated: boolean }
      | undefined;
    return about && [about.latest_event.event_id, about.count, about.current_user_participated];
  };

  test("says how many replies there are, which is the latest, and whether one takes part", async () => {
    const { t, roomId, eventId } = await withEvent();
    await t.send(roomId, "bob", relating("m.thread", eventId));
    const latest = await t.send(roomId, "bob", relating("m.thread", eventId), "m.sticker");
    expect(await thread(t, eventId, "alice")).toEqual([latest, 2, true]);
    expect(await thread(t, eventId, "bob")).toEqual([latest, 2, true]);
    expect(await thread(t, eventId, "carol")).toEqual([latest, 2, false]);
  });

  test("has the latest reply with what is summed up about that one", async () => {
    const { t, roomId, eventId } = await withEvent();
    const reply = await t.send(roomId, "bob", relating("m.thread", eventId, { body: "a" }));
    const edit = await t.send(roomId, "bob", edits(reply, "b"));
    expect(await summary(t, eventId)).toMatchObject({
      "m.thread": {
        latest_event: {
          event_id: reply,
          unsigned: { "m.relations": { "m.replace": { event_id: edit } } },
        },
      },
    });
  });

  test("does without those whom the user ignores, and without what is redacted", async () => {
    const { t, roomId, eventId } = await withEvent();
    const one = await t.send(roomId, "bob", relating("m.thread", eventId));
    const other = await t.send(roomId, "carol", relating("m.thread", eventId));
    const ignored = new Set([t.user("carol").userId]);
    expect(await thread(t, eventId, "alice", ignored)).toEqual([one, 1, true]);
    await t.redact(roomId, "bob", one);
    expect(await thread(t, eventId, "alice")).toEqual([other, 1, true]);
    expect(await thread(t, eventId, "bob")).toEqual([other, 1, false]);
    expect(await thread(t, eventId, "alice", ignored)).toBeUndefined();
  });

  test("does not start at what relates to another event", async () => {
    const { t, roomId, eventId } = await withEvent();
    const reply = await t.send(roomId, "bob", relating("m.thread", eventId));
    await t.sendFreely(roomId, "bob", relating("m.thread", reply));
    expect(await summary(t, reply)).toBeUndefined();
  });

  test("counts beyond those whose senders are looked at", async () => {
    const { t, roomId, eventId } = await withEvent();
    const latest = await t.send(roomId, "bob", relating("m.thread", eventId));
    const { room, nid, order } = (await t.events.byId(latest))!;
    await t.storage.commit((write) => {
      for (let i = 1; i <= 600; i++) {
        write.put(
          "relations",
          [nid, "m.thread", "m.room.message", "@x:h"],
          [room, eventId, -(order - i / 1_000)],
        );
      }
    });
    expect(await thread(t, eventId)).toEqual([latest, 601, true]);
  });
});

test("what one may not see does not count", async () => {
  const t = await testParts();
  const roomId = await t.create("alice", { preset: "public_chat" });
  await t.setState(roomId, "alice", "m.room.history_visibility", { history_visibility: "joined" });
  await t.act(roomId, "join", "bob");
  const eventId = await t.send(roomId, "alice", {});
  const seen = await t.send(roomId, "alice", relating("m.thread", eventId));
  await t.act(roomId, "leave", "bob");
  const unseen = await t.send(roomId, "alice", relating("m.thread", eventId));
  await t.send(roomId, "alice", edits(eventId, "unseen"));
  await t.send(roomId, "alice", relating("m.reference", eventId));
  const bobs = (await summary(t, eventId, "bob"))!;
  expect(Object.keys(bobs)).toEqual(["m.thread"]);
  expect(bobs).toMatchObject({ "m.thread": { latest_event: { event_id: seen }, count: 1 } });
  expect(await summary(t, eventId)).toMatchObject({
    "m.thread": { latest_event: { event_id: unseen }, count: 2 },
  });
});

test("many events are summed up together, each in the form that was asked for", async () => {
  const { t, roomId } = await withEvent();
  const sent: string[] = [];
  for (let i = 0; i < 30; i++) sent.push(await t.send(roomId, "alice", { body: `${i}` }));
  for (const eventId of sent.slice(0, 15)) await t.send(roomId, "alice", edits(eventId, "new"));
  const events = (await t.events.byIds(sent)).map((event) => event!);
  const formed = await presented(t, t.user("alice"), events, { form: "sync", ignored: none });
  expect(formed.map(({ event_id }) => event_id)).toEqual(sent);
  for (const [i, { unsigned, ...event }] of formed.entries()) {
    expect(event).not.toHaveProperty("room_id");
    const relations = unsigned?.["m.relations"] as { "m.replace": JsonObject } | undefined;
    expect(relations?.["m.replace"].content).toEqual(i < 15 ? edits(sent[i]!, "new") : undefined);
    expect(relations?.["m.replace"] ?? {}).not.toHaveProperty("room_id");
  }
});
