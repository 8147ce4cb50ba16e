import { describe, expect, test } from "vitest";
import { keys, limit, type SyncAnswer, type TestSync, testSync, texts } from "./support/sync.ts";

/** A room of bob's, and alice's first sync, before she has anything to do with it. */
async function start(body: object = {}): Promise<{ t: TestSync; roomId: string; since: string }> {
  const t = await testSync();
  const roomId = await t.create("bob", body);
  const { next_batch } = await t.poll("alice");
  return { t, roomId, since: next_batch };
}

const sectionsOf = (answer: SyncAnswer, roomId: string) =>
  Object.entries(answer.rooms)
    .filter(([, rooms]) => roomId in rooms)
    .map(([section]) => section);

describe("a first sync", () => {
  test("has the newest events and the state before them", async () => {
    const { t, roomId } = await start({ name: "Den" });
    await t.say("bob", roomId, "one");
    await t.say("bob", roomId, "two");
    const room = (await t.poll("bob", { filter: limit(2) })).rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["one", "two"]);
    expect(room.timeline.limited).toBe(true);
    expect(keys(room.state)).toEqual([
      "m.room.create",
      "m.room.guest_access",
      "m.room.history_visibility",
      "m.room.join_rules",
      `m.room.member|${t.id("bob")}`,
      "m.room.name",
      "m.room.power_levels",
    ]);
  });

  test("does not repeat in the state what is in the timeline", async () => {
    const { t, roomId } = await start({ name: "Den" });
    const room = (await t.poll("bob", { filter: limit(50) })).rooms.join[roomId]!;
    expect(room.timeline.limited).toBe(false);
    expect(room.timeline.events[0]!.type).toBe("m.room.create");
    expect(room.state!.events).toEqual([]);
  });

  test("leads on to /messages by prev_batch, without a gap and without an event twice", async () => {
    const { t, roomId } = await start();
    for (const body of ["one", "two", "three", "four"]) await t.say("bob", roomId, body);
    const { timeline } = (await t.poll("bob", { filter: limit(2) })).rooms.join[roomId]!;
    const from = timeline.prev_batch;
    const bytes = await t.rooms.messages(t.user("bob"), roomId, { dir: "b", from, limit: 2, filter: {} });
    const { chunk } = JSON.parse(new TextDecoder().decode(bytes));
    expect(texts({ events: chunk })).toEqual(["two", "one"]);
    expect(texts(timeline)).toEqual(["three", "four"]);
  });

  test("knows invites and knocks, and leaves out what was left", async () => {
    const t = await testSync();
    const invited = await t.create("bob", { name: "Party", preset: "private_chat" });
    await t.act("bob", "invite", invited, "alice");
    const knocked = await t.create("bob", {
      initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
    });
    await t.act("alice", "knock", knocked);
    const left = await t.create("alice");
    await t.act("alice", "leave", left);
    const answer = await t.poll("alice");
    expect(sectionsOf(answer, invited)).toEqual(["invite"]);
    const { events } = answer.rooms.invite[invited]!.invite_state;
    expect(events.find((event) => event.type === "m.room.name")?.content).toEqual({ name: "Party" });
    expect(events.find((event) => event.state_key === t.id("alice"))?.content.membership).toBe("invite");
    expect(sectionsOf(answer, knocked)).toEqual(["knock"]);
    expect(keys(answer.rooms.knock[knocked]!.knock_state)).toContain(`m.room.member|${t.id("alice")}`);
    expect(sectionsOf(answer, left)).toEqual([]);
  });

  test("has left rooms up to the leave with include_leave, unless they are forgotten", async () => {
    const t = await testSync();
    const left = await t.create("bob");
    await t.act("alice", "join", left);
    await t.say("bob", left, "seen");
    await t.act("alice", "leave", left);
    await t.say("bob", left, "not for alice");
    await t.setState("bob", left, "m.room.topic", { topic: "new" });
    const forgotten = await t.create("alice");
    await t.act("alice", "leave", forgotten);
    await t.rooms.forget(t.user("alice"), forgotten);
    const filter = { room: { include_leave: true, timeline: { limit: 50 } } };
    const answer = await t.poll("alice", { filter });
    expect(Object.keys(answer.rooms.leave)).toEqual([left]);
    const room = answer.rooms.leave[left]!;
    expect(texts(room.timeline)).toEqual(["seen"]);
    expect(room.timeline.events.at(-1)!.content.membership).toBe("leave");
    expect(keys(room.state)).not.toContain("m.room.topic");
  });
});

describe("an incremental sync", () => {
  test("has what is new and nothing else", async () => {
    const { t, roomId } = await start();
    const other = await t.create("bob");
    const { next_batch } = await t.poll("bob");
    await t.say("bob", roomId, "new");
    const answer = await t.poll("bob", { since: next_batch });
    expect(Object.keys(answer.rooms.join)).toEqual([roomId]);
    const room = answer.rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["new"]);
    expect(room.timeline.limited).toBe(false);
    expect(room.state!.events).toEqual([]);
    expect(other in answer.rooms.join).toBe(false);
    const next = await t.poll("bob", { since: answer.next_batch });
    expect(next.rooms).toEqual({ join: {}, invite: {}, knock: {}, leave: {} });
  });

  test("answers the same token the same way again", async () => {
    const { t, roomId } = await start();
    const { next_batch } = await t.poll("bob");
    await t.say("bob", roomId, "new");
    const first = await t.poll("bob", { since: next_batch });
    const second = await t.poll("bob", { since: next_batch });
    expect(texts(second.rooms.join[roomId]!.timeline)).toEqual(texts(first.rooms.join[roomId]!.timeline));
  });

  test("limited, has the state changes of the gap", async () => {
    const { t, roomId } = await start({ name: "Old" });
    const { next_batch } = await t.poll("bob");
    await t.setState("bob", roomId, "m.room.topic", { topic: "in the gap" });
    await t.act("carol", "join", roomId);
    await t.say("bob", roomId, "one");
    await t.setState("bob", roomId, "m.room.name", { name: "in the timeline" });
    const room = (await t.poll("bob", { since: next_batch, filter: limit(2) })).rooms.join[roomId]!;
    expect(room.timeline.limited).toBe(true);
    expect(room.timeline.events.map((event) => event.type)).toEqual(["m.room.message", "m.room.name"]);
    expect(keys(room.state)).toEqual([`m.room.member|${t.id("carol")}`, "m.room.topic"]);
  });

  test("exactly at the limit is not limited", async () => {
    const { t, roomId } = await start();
    const { next_batch } = await t.poll("bob");
    await t.say("bob", roomId, "one");
    await t.say("bob", roomId, "two");
    const of = async (number: number) =>
      (await t.poll("bob", { since: next_batch, filter: limit(number) })).rooms.join[roomId]!.timeline;
    expect((await of(2)).limited).toBe(false);
    expect((await of(1)).limited).toBe(true);
  });

  test("shows an event to a room's member once, whoever sent it, with its transaction to its device", async () => {
    const { t, roomId } = await start();
    const own = await t.poll("bob", { device: "A" });
    await t.rooms.sendEvent(t.user("bob", "A"), {
      roomId,
      type: "m.room.message",
      txnId: "txn1",
      content: { body: "mine" },
    });
    const of = async (device: string) =>
      (await t.poll("bob", { since: own.next_batch, device })).rooms.join[roomId]!.timeline.events[0]!;
    expect((await of("A")).unsigned.transaction_id).toBe("txn1");
    expect((await of("B")).unsigned).not.toHaveProperty("transaction_id");
  });

  test("redacted events come without their content, and the redaction comes", async () => {
    const { t, roomId } = await start();
    const { next_batch } = await t.poll("bob");
    const eventId = await t.say("bob", roomId, "oops");
    await t.rooms.redact(t.user("bob"), { roomId, eventId, txnId: "r", content: {} });
    const { events } = (await t.poll("bob", { since: next_batch })).rooms.join[roomId]!.timeline;
    expect(events.map((event) => event.type)).toEqual(["m.room.message", "m.room.redaction"]);
    expect(events[0]!.content).toEqual({});
    expect(events[0]!.unsigned).toHaveProperty("redacted_because");
  });

  test("full_state repeats the state of all rooms, and bounds the timeline by since", async () => {
    const { t, roomId } = await start({ name: "Den" });
    const { next_batch } = await t.poll("bob");
    const room = (await t.poll("bob", { since: next_batch, fullState: true })).rooms.join[roomId]!;
    expect(keys(room.state)).toContain("m.room.name");
    expect(room.timeline.events).toEqual([]);
    expect(room.timeline.limited).toBe(false);
  });
});

describe("a room that was entered since", () => {
  test("comes whole", async () => {
    const { t, roomId, since } = await start({ name: "Den" });
    await t.say("bob", roomId, "before");
    await t.act("alice", "join", roomId);
    await t.say("bob", roomId, "after");
    const room = (await t.poll("alice", { since, filter: limit(3) })).rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["before", "after"]);
    expect(room.timeline.limited).toBe(true);
    expect(keys(room.state)).toContain("m.room.name");
    expect(room.timeline.events.map((event) => event.unsigned.membership)).toEqual(["leave", "join", "join"]);
  });

  test("again, is limited though short, as the client has another part of it", async () => {
    const { t, roomId } = await start();
    await t.act("alice", "join", roomId);
    await t.act("alice", "leave", roomId);
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "join", roomId);
    const { timeline } = (await t.poll("alice", { since: next_batch, filter: limit(50) })).rooms.join[
      roomId
    ]!;
    expect(timeline.events[0]!.type).toBe("m.room.create");
    expect(timeline.limited).toBe(true);
  });

  test("does not show what its history visibility hides", async () => {
    const { t, roomId, since } = await start({
      initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: "joined" } }],
    });
    await t.say("bob", roomId, "before");
    await t.act("alice", "join", roomId);
    await t.say("bob", roomId, "after");
    const { timeline } = (await t.poll("alice", { since, filter: limit(50) })).rooms.join[roomId]!;
    expect(texts(timeline)).toEqual(["after"]);
  });

  test("is told of at once when an invite is accepted, and no longer as an invite", async () => {
    const { t, roomId, since } = await start({ preset: "private_chat" });
    await t.act("bob", "invite", roomId, "alice");
    const invited = await t.poll("alice", { since });
    expect(sectionsOf(invited, roomId)).toEqual(["invite"]);
    await t.act("alice", "join", roomId);
    const joined = await t.poll("alice", { since: invited.next_batch });
    expect(sectionsOf(joined, roomId)).toEqual(["join"]);
    expect(sectionsOf(await t.poll("alice", { since: joined.next_batch }), roomId)).toEqual([]);
  });

  test("a changed profile is no new entry", async () => {
    const { t, roomId } = await start();
    const { next_batch } = await t.poll("bob");
    await t.setState("bob", roomId, "m.room.member", { membership: "join", displayname: "B" }, t.id("bob"));
    const room = (await t.poll("bob", { since: next_batch })).rooms.join[roomId]!;
    expect(room.timeline.limited).toBe(false);
    expect(room.state!.events).toEqual([]);
    expect(room.timeline.events).toHaveLength(1);
  });

  test("left and entered again within the span, it goes on without what was hidden", async () => {
    const { t, roomId } = await start({
      initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: "joined" } }],
    });
    await t.act("alice", "join", roomId);
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    await t.say("bob", roomId, "behind her back");
    await t.setState("bob", roomId, "m.room.topic", { topic: "meanwhile" });
    await t.act("alice", "join", roomId);
    await t.say("bob", roomId, "welcome back");
    const room = (await t.poll("alice", { since: next_batch, filter: limit(50) })).rooms.join[roomId]!;
    expect(texts(room.timeline)).toEqual(["welcome back"]);
    expect(keys(room.state)).toContain("m.room.topic");
  });
});

describe("a room that was left since", () => {
  test("comes down to its leave, and then no more", async () => {
    const { t, roomId } = await start();
    await t.act("alice", "join", roomId);
    const { next_batch } = await t.poll("alice");
    await t.say("bob", roomId, "seen");
    await t.act("alice", "leave", roomId);
    await t.say("bob", roomId, "not for alice");
    const answer = await t.poll("alice", { since: next_batch });
    expect(sectionsOf(answer, roomId)).toEqual(["leave"]);
    const { timeline } = answer.rooms.leave[roomId]!;
    expect(texts(timeline)).toEqual(["seen"]);
    expect(timeline.events.at(-1)!.content.membership).toBe("leave");
    expect(timeline.limited).toBe(false);
    expect(sectionsOf(await t.poll("alice", { since: answer.next_batch }), roomId)).toEqual([]);
  });

  test.each(["kick", "ban"] as const)("by a %s: nothing streams after it", async (action) => {
    const { t, roomId } = await start();
    await t.act("alice", "join", roomId);
    const { next_batch } = await t.poll("alice");
    await t.act("bob", action, roomId, "alice");
    const removed = await t.poll("alice", { since: next_batch });
    expect(sectionsOf(removed, roomId)).toEqual(["leave"]);
    const nid = await t.nid(roomId);
    const eventId = await t.say("bob", roomId, "gossip");
    await t.typing.set(nid, [t.id("bob")]);
    await t.receipts.set(nid, t.id("bob"), eventId);
    await t.setState("bob", roomId, "m.room.topic", { topic: "secret" });
    expect(sectionsOf(await t.poll("alice", { since: removed.next_batch }), roomId)).toEqual([]);
    const late = await t.poll("alice", { since: next_batch });
    expect(JSON.stringify(late)).not.toMatch(/gossip|secret|m\.typing|m\.receipt/);
  });

  test("comes down even when it has been forgotten on another device", async () => {
    const { t, roomId } = await start();
    await t.act("alice", "join", roomId);
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    await t.rooms.forget(t.user("alice"), roomId);
    expect(sectionsOf(await t.poll("alice", { since: next_batch }), roomId)).toEqual(["leave"]);
  });

  test("entered and left within the span, it comes whole", async () => {
    const { t, roomId, since } = await start({ name: "Den" });
    await t.act("alice", "join", roomId);
    await t.say("bob", roomId, "hello and goodbye");
    await t.act("alice", "leave", roomId);
    const answer = await t.poll("alice", { since, filter: limit(2) });
    const room = answer.rooms.leave[roomId]!;
    expect(texts(room.timeline)).toEqual(["hello and goodbye"]);
    expect(room.timeline.limited).toBe(true);
    expect(keys(room.state)).toContain("m.room.name");
  });

  test.each(["alice", "bob"])("an invite that %s takes back shows nothing of the room", async (who) => {
    const { t, roomId, since } = await start({ preset: "private_chat", name: "Secret" });
    await t.act("bob", "invite", roomId, "alice");
    const { next_batch } = await t.poll("alice", { since });
    await t.setState("bob", roomId, "m.room.topic", { topic: "Secret too" });
    await t.act(who, who === "alice" ? "leave" : "kick", roomId, "alice");
    const answer = await t.poll("alice", { since: next_batch });
    const room = answer.rooms.leave[roomId]!;
    expect(room.timeline.events.map((event) => event.state_key)).toEqual([t.id("alice")]);
    expect(JSON.stringify(answer)).not.toContain("Secret");
  });

  test("invited again after leaving, it is an invite", async () => {
    const { t, roomId } = await start();
    await t.act("alice", "join", roomId);
    const { next_batch } = await t.poll("alice");
    await t.act("alice", "leave", roomId);
    await t.act("bob", "invite", roomId, "alice");
    expect(sectionsOf(await t.poll("alice", { since: next_batch }), roomId)).toEqual(["invite"]);
  });
});
