import { describe, expect, test, vi } from "vitest";
import { limit, type Query, type SyncAnswer, type TestSync, testSync, texts } from "./support/sync.ts";

/** Longer than any test may take: an answer that comes was not waited out. */
const LONG = 3_600_000;

async function start(): Promise<{ t: TestSync; roomId: string; since: string }> {
  const t = await testSync();
  const roomId = await t.create("bob");
  await t.act("alice", "join", roomId);
  const { next_batch } = await t.poll("alice");
  return { t, roomId, since: next_batch };
}

/** A long poll of alice's, with what has to be known to see that it is not answered. */
function wait(t: TestSync, since: string, query: Query = {}, name: string = crypto.randomUUID()) {
  const poll = { answered: false, answer: t.poll("alice", { since, timeout: LONG, ...query }, name) };
  poll.answer.then(
    () => {
      poll.answered = true;
    },
    () => undefined,
  );
  return { ...poll, isAnswered: () => poll.answered, cancel: () => t.sync.cancel(name) };
}

/** Lets a poll that was not woken show it: a whole sync of somebody else, and a commit, take longer than its look. */
async function meanwhile(t: TestSync): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await t.accountData.set(t.id("nobody"), null, "org.example", { i });
    await t.poll("nobody");
  }
}

const emptyRooms = { join: {}, invite: {}, knock: {}, leave: {} };

describe("a long poll is answered by", () => {
  test.each<[what: string, happen: (t: TestSync, roomId: string) => Promise<unknown>, shown: string]>([
    ["a message", (t, roomId) => t.say("bob", roomId, "hi"), '"hi"'],
    ["a state event", (t, roomId) => t.setState("bob", roomId, "m.room.topic", { topic: "new" }), '"new"'],
    ["typing", async (t, roomId) => t.typing.set(await t.nid(roomId), [t.id("bob")]), "m.typing"],
    [
      "a receipt",
      async (t, roomId) => t.receipts.set(await t.nid(roomId), t.id("bob"), "$event"),
      '"$event"',
    ],
    ["account data", (t) => t.accountData.set(t.id("alice"), null, "org.example.a", {}), "org.example.a"],
    [
      "room account data",
      (t, roomId) => t.accountData.set(t.id("alice"), roomId, "m.tag", { tags: {} }),
      "m.tag",
    ],
    ["new keys of somebody", (t) => t.keys.change(t.id("bob")), '"changed":["@bob'],
    ["new keys of one's own", (t) => t.keys.change(t.id("alice")), '"changed":["@alice'],
    ["a signature of one's own", (t) => t.keys.sign(t.id("alice"), t.id("bob")), '"changed":["@bob'],
    [
      "a key of the device that is claimed",
      (t) => t.keys.claim(t.id("alice"), t.user("alice").deviceId!),
      '"signed_curve25519":0',
    ],
    ["the presence of somebody", (t) => t.presence.set(t.id("bob"), "unavailable"), "unavailable"],
    [
      "an invite",
      async (t) => t.act("bob", "invite", await t.create("bob", { name: "Party" }), "alice"),
      "Party",
    ],
    ["one's own join elsewhere", async (t) => t.act("alice", "join", await t.create("bob")), "m.room.create"],
    ["being kicked", (t, roomId) => t.act("bob", "kick", roomId, "alice"), '"leave"'],
  ])("%s", async (_, happen, shown) => {
    const { t, roomId, since } = await start();
    const poll = wait(t, since);
    await meanwhile(t);
    expect(poll.isAnswered()).toBe(false);
    await happen(t, roomId);
    expect(JSON.stringify(await poll.answer)).toContain(shown);
  });

  test("what comes between the look and the wait", async () => {
    const { t, roomId, since } = await start();
    const { push } = t;
    const caughtUp = push.caughtUp.bind(push);
    let looks = 0;
    // The second look's position is fixed when this is called: what is said now is not in it.
    push.caughtUp = async (position) => {
      await caughtUp(position);
      looks += 1;
      if (looks === 2) await t.say("bob", roomId, "quick");
    };
    const { answer } = wait(t, since);
    expect(texts((await answer).rooms.join[roomId]!.timeline)).toEqual(["quick"]);
    expect(looks).toBe(3);
  });
});

describe("a long poll goes on after", () => {
  test.each<[what: string, happen: (t: TestSync, roomId: string) => Promise<unknown>]>([
    ["a message in a room of others", async (t) => t.say("bob", await t.create("bob"), "psst")],
    ["others' account data", (t) => t.accountData.set(t.id("bob"), null, "org.example.b", {})],
    ["one's own presence", (t) => t.presence.set(t.id("alice"), "online")],
    ["a stranger's keys", (t) => t.keys.change(t.id("stranger"))],
    ["others' signatures", (t) => t.keys.sign(t.id("bob"), t.id("alice"))],
    ["a key that is claimed of another device", (t) => t.keys.claim(t.id("alice"), "OTHER")],
    ["a stranger's presence", (t) => t.presence.set(t.id("stranger"), "online")],
    [
      "others' private receipts",
      async (t, roomId) =>
        t.receipts.set(await t.nid(roomId), t.id("bob"), "$event", { type: "m.read.private" }),
    ],
    [
      "an invite from somebody who is ignored",
      async (t) => {
        await t.act("mallory", "invite", await t.create("mallory"), "alice");
      },
    ],
  ])("%s", async (_, happen) => {
    const { t, roomId } = await start();
    await t.accountData.set(t.id("alice"), null, "m.ignored_user_list", {
      ignored_users: { [t.id("mallory")]: {} },
    });
    const { next_batch } = await t.poll("alice");
    const poll = wait(t, next_batch);
    await happen(t, roomId);
    await meanwhile(t);
    expect(poll.isAnswered()).toBe(false);
    await t.say("bob", roomId, "the end");
    expect(texts((await poll.answer).rooms.join[roomId]!.timeline)).toEqual(["the end"]);
  });

  test("what its filter hides, without looking again and again", async () => {
    const { t, roomId, since } = await start();
    const filter = { room: { timeline: { types: ["m.room.message"] } }, presence: { types: [] } };
    const poll = wait(t, since, { filter });
    await meanwhile(t);
    const looks = t.push.caughtUpTo.length;
    await t.rooms.sendEvent(t.user("bob"), { roomId, type: "m.reaction", txnId: "r", content: {} });
    await t.presence.set(t.id("bob"), "online");
    for (let i = 0; i < 50; i++) await t.accountData.set(t.id("nobody"), null, "org.example", { i });
    expect(poll.isAnswered()).toBe(false);
    // One look for each of the two that concerned it; one that waits may be under way still.
    expect(t.push.caughtUpTo.length - looks).toBeLessThanOrEqual(3);
    await t.say("bob", roomId, "seen");
    expect(texts((await poll.answer).rooms.join[roomId]!.timeline)).toEqual(["seen"]);
  });
});

describe("a poll does not wait", () => {
  test.each<[why: string, query: Query]>([
    ["the first time", { since: undefined, timeout: LONG }],
    ["with a timeout of 0", { timeout: 0 }],
    ["for the full state", { fullState: true, timeout: LONG }],
  ])("%s", async (_, query) => {
    const { t, since } = await start();
    const { next_batch } = await t.poll("alice", { since, ...query });
    expect(next_batch).toMatch(/^h\d+$/);
  });
});

describe("the end of a wait", () => {
  test("is an empty answer with the newest token", async () => {
    const { t, since } = await start();
    const poll = t.poll("alice", { since, timeout: 1 });
    await t.say("bob", await t.create("bob"), "elsewhere");
    const answer = await poll;
    expect(answer.rooms).toEqual(emptyRooms);
    const later = await t.poll("alice", { since: answer.next_batch, timeout: 1 });
    expect(later.rooms).toEqual(emptyRooms);
    expect(Number(later.next_batch.slice(1))).toBe(t.storage.position);
  });

  test("loses nothing of what came at the same moment", async () => {
    const { t, roomId, since } = await start();
    const said: string[] = [];
    const seen: unknown[] = [];
    let token = since;
    for (let i = 0; i < 20; i++) {
      const poll = t.poll("alice", { since: token, timeout: 1, filter: limit(50) });
      await t.say("bob", roomId, `${i}`);
      said.push(`${i}`);
      const answer = await poll;
      seen.push(...texts(answer.rooms.join[roomId]?.timeline ?? { events: [] }));
      token = answer.next_batch;
    }
    const rest: SyncAnswer = await t.poll("alice", { since: token, filter: limit(50) });
    seen.push(...texts(rest.rooms.join[roomId]?.timeline ?? { events: [] }));
    expect(seen).toEqual(said);
  });

  test("comes when the client goes away", async () => {
    const { t, since } = await start();
    const poll = wait(t, since);
    await meanwhile(t);
    await t.sync.cancel("somebody else's");
    expect(poll.isAnswered()).toBe(false);
    await poll.cancel();
    expect((await poll.answer).rooms).toEqual(emptyRooms);
    expect(t.presence.syncs.filter((call) => call.endsWith("ends"))).toHaveLength(
      t.presence.syncs.filter((call) => call.endsWith("begins")).length,
    );
  });
});

test("a client that goes away before the first look is not waited for", async () => {
  const { t, since } = await start();
  const poll = wait(t, since);
  await poll.cancel();
  expect((await poll.answer).rooms).toEqual(emptyRooms);
});

test("two clients of one account, of two minds about its presence, do not wake each other", async () => {
  const { t, roomId, since } = await start();
  const one = wait(t, since, { device: "A", setPresence: "online" });
  const two = wait(t, since, { device: "B", setPresence: "unavailable" });
  await meanwhile(t);
  expect([one.isAnswered(), two.isAnswered()]).toEqual([false, false]);
  await t.say("bob", roomId, "hi");
  for (const { answer } of [one, two]) {
    expect(texts((await answer).rooms.join[roomId]!.timeline)).toEqual(["hi"]);
  }
});

test("one's own presence is no reason to answer, and is told with the next answer", async () => {
  const { t, roomId, since } = await start();
  await t.presence.set(t.id("alice"), "unavailable");
  const poll = wait(t, since);
  await meanwhile(t);
  expect(poll.isAnswered()).toBe(false);
  await t.say("bob", roomId, "hi");
  const own = { type: "m.presence", sender: t.id("alice"), content: { presence: "unavailable" } };
  expect((await poll.answer).presence.events).toEqual([own]);
});

test("a sync with nothing in its span looks at no room, and says the same as one that does", async () => {
  const { t, since } = await start();
  const rooms = vi.spyOn(t.rooms, "membershipsOf");
  const answer = await t.poll("alice", { since });
  expect(rooms).not.toHaveBeenCalled();
  expect(answer.rooms).toEqual(emptyRooms);
  // Bob's entry of the log that says nothing to Alice makes a span of one.
  await t.accountData.set(t.id("bob"), null, "org.example", {});
  const looked = await t.poll("alice", { since });
  expect(rooms).toHaveBeenCalled();
  expect({ ...looked, next_batch: since }).toEqual({ ...answer, next_batch: since });
  expect(Object.keys((await t.poll("alice", { since, fullState: true })).rooms.join)).toHaveLength(1);
});
