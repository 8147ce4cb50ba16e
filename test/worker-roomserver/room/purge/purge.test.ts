import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { purgeRoom } from "../../../../src/worker-roomserver/room/purge/purge-room.ts";
import { finishPurges } from "../../../../src/worker-roomserver/room/purge/remove.ts";
import { generatedRoom } from "../../../reference/arbitrary-room.ts";
import { ReferenceRoom } from "../../../reference/room-model.ts";
import { Story } from "../../../reference/story.ts";
import { type TestRooms, testRooms } from "../../support/room.ts";
import { failCommit } from "../../support/rounds.ts";
import { dump } from "../../support/storage.ts";
import { testSync, texts } from "../../sync/support/sync.ts";
import { HostedRoom, received, referenceView } from "../input/hosted-room.ts";

const create = async (t: TestRooms, body: object = {}, who = "alice") =>
  (await t.rooms.createRoom(t.request(), t.user(who), { preset: "public_chat", ...body })).room_id;
const act = (t: TestRooms, roomId: string, action: "join" | "leave" | "invite", who: string, target = who) =>
  t.rooms.changeMembership(t.request(), t.user(who), { roomId, action, target: t.user(target).userId });
const say = async (t: TestRooms, roomId: string, content: object = {}, who = "alice") => {
  const event = {
    roomId,
    type: "m.room.message",
    txnId: crypto.randomUUID(),
    content: { body: "hi", ...content },
  };
  return (await t.rooms.sendEvent(t.user(who), event)).event_id;
};
/** Units of a bulk removal; all of them without a number. */
async function remove(t: TestRooms, units = Number.POSITIVE_INFINITY): Promise<number> {
  let done = 0;
  for await (const _ of finishPurges(t.parts)) if (++done === units) break;
  return done;
}

/** Two members, many events, relations and an alias. */
async function busyRoom(t: TestRooms, messages: number): Promise<string> {
  const roomId = await create(t, { room_alias_name: "lobby", visibility: "public" });
  await act(t, roomId, "join", "bob");
  const root = await say(t, roomId);
  const thread = { "m.relates_to": { rel_type: "m.thread", event_id: root } };
  for (let i = 0; i < messages; i++) await say(t, roomId, i % 10 === 0 ? thread : {});
  await t.rooms.setState(t.request(), t.user("alice"), {
    roomId,
    type: "m.room.topic",
    stateKey: "",
    content: { topic: "all of it" },
  });
  return roomId;
}

/** What the database says of a room, and how many states there are. */
async function left(t: TestRooms, room: number) {
  const stores = await dump(t.storage);
  const keyed = [
    "authEdges",
    "awaited",
    "relations",
    "threads",
    "gaps",
    "receipts",
    "waitingEvents",
    "rooms",
    "published",
    "purges",
  ];
  const rows = keyed.flatMap((store) => stores[store]!.filter(([key]) => [key].flat()[0] === room));
  const events = stores.events!.filter(([, row]) => (row as { r: number }).r === room);
  const memberships = stores.memberships!.filter(([, row]) => (row as { r: number }).r === room);
  return {
    rows,
    events: events.length,
    memberships: memberships.length,
    snapshots: stores.snapshots!.length,
  };
}

describe("a room that is purged", () => {
  test("is gone at once for everybody, and others are as they were", async () => {
    const t = await testRooms();
    const other = await create(t);
    const before = await dump(t.storage);
    const roomId = await busyRoom(t, 10);
    const alias = `#lobby:${t.serverName}`;
    await purgeRoom(t.parts, roomId);
    await expect(say(t, roomId)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
    await expect(act(t, roomId, "join", "carol")).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
    await expect(t.rooms.state(t.user("alice"), roomId)).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
    await expect(t.rooms.resolveAlias(alias)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
    await expect(purgeRoom(t.parts, roomId)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
    expect(await t.rooms.joinedRooms(t.user("alice"))).toEqual({ joined_rooms: [other] });
    expect(await t.rooms.usersIn((await t.rooms.nid(roomId))!, "join")).toEqual([]);
    await remove(t);
    const after = await dump(t.storage);
    const otherRows = after.events!.filter(
      ([, row]) => (row as { b: number }).b + (row as { c: number }).c > 0,
    );
    expect(otherRows).toEqual(before.events);
    expect(after.snapshots).toEqual(before.snapshots);
    expect(await say(t, other)).toMatch(/^\$/);
  });

  test("leaves nothing but that its local users are out of it", async () => {
    const t = await testRooms();
    const roomId = await busyRoom(t, 450);
    const room = (await t.rooms.nid(roomId))!;
    await purgeRoom(t.parts, roomId);
    expect(await remove(t)).toBeGreaterThan(4);
    expect(await left(t, room)).toEqual({ rows: [], events: 2, memberships: 2, snapshots: 0 });
    expect((await t.rooms.membershipOf(t.user("bob").userId, room))?.membership).toBe("leave");
  });

  test("takes members along without a word if its owner wants that", async () => {
    const t = await testRooms();
    const roomId = await busyRoom(t, 3);
    const room = (await t.rooms.nid(roomId))!;
    await purgeRoom(t.parts, roomId, { leave: false });
    expect(await t.rooms.membershipsOf(t.user("bob").userId)).toEqual([]);
    await remove(t);
    expect(await left(t, room)).toEqual({ rows: [], events: 0, memberships: 0, snapshots: 0 });
  });

  test("can be in the midst of being written to", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const writes = Array.from({ length: 20 }, () => say(t, roomId));
    const joins = ["bob", "carol"].map((who) => act(t, roomId, "join", who));
    const purge = purgeRoom(t.parts, roomId);
    const outcomes = await Promise.allSettled([...writes, ...joins, act(t, roomId, "join", "dave")]);
    await purge;
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        expect(["M_NOT_FOUND", "M_FORBIDDEN"]).toContain((outcome.reason as { errcode: string }).errcode);
      }
    }
    await remove(t);
    const room = (await t.rooms.nid(roomId))!;
    const { rows, events, memberships, snapshots } = await left(t, room);
    expect([rows, snapshots, events]).toEqual([[], 0, memberships]);
  });

  test("stays if the disk does not take its end", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const failing = failCommit(t.storage);
    await Promise.allSettled([failing, purgeRoom(t.parts, roomId, { leave: false })]);
    const isThere = (await t.rooms.joinedRooms(t.user("alice"))).joined_rooms.length === 1;
    if (isThere) expect(await say(t, roomId)).toMatch(/^\$/);
    else await expect(say(t, roomId)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  });
});

test("a purge goes on after a crash between any two units, and ends in the same", async () => {
  const roomOf = async () => {
    const t = await testRooms();
    const roomId = await busyRoom(t, 250);
    await purgeRoom(t.parts, roomId);
    return { t, room: (await t.rooms.nid(roomId))! };
  };
  const whole = await roomOf();
  const units = await remove(whole.t);
  expect(units).toBeGreaterThan(3);
  const want = await left(whole.t, whole.room);
  for (let before = 0; before < units; before++) {
    const { t, room } = await roomOf();
    if (before > 0) await remove(t, before);
    const next = await testRooms(t.storage.name);
    await remove(next);
    expect(await left(next, room)).toEqual(want);
  }
});

test("a purge that goes on takes nothing of a room that was made meanwhile: numbers are never given out again", async () => {
  const t = await testRooms();
  const roomId = await busyRoom(t, 250);
  await purgeRoom(t.parts, roomId);
  const { numbers } = t.storage;
  // The newest events and states of all are gone, others that name the same states are not.
  await remove(t, 2);
  const next = await testRooms(t.storage.name);
  expect(next.storage.numbers).toEqual(numbers);
  const other = await create(next, {}, "carol");
  for (let i = 0; i < 5; i++) await say(next, other, {}, "carol");
  await remove(next);
  const last = await testRooms(t.storage.name);
  const { events } = await last.rooms.timeline((await last.rooms.nid(other))!, {
    after: 0,
    upTo: 1e9,
    limit: 100,
  });
  expect(events.filter(({ pdu }) => pdu.type === "m.room.message")).toHaveLength(5);
  const state = await last.rooms.events(await last.rooms.stateOf(events.at(-1)!.current));
  expect(state.map(({ pdu }) => pdu.type)).toContain("m.room.create");
  expect(state.every(({ roomId: id }) => id === other)).toBe(true);
});

describe("a sync", () => {
  test.each(["at once", "in the midst", "in the midst, by the next leader", "at the end"])(
    "after a purge tells each client once that the room was left: %s",
    async (when) => {
      let t = await testSync();
      const roomId = await t.create("alice");
      const other = await t.create("alice");
      await t.act("bob", "join", roomId);
      for (let i = 0; i < 250; i++) await t.say("bob", roomId, `${i}`);
      const since = (await t.poll("alice")).next_batch;
      const invited = await t.create("bob", { invite: [t.id("carol")] });
      const carols = (await t.poll("carol")).next_batch;
      await t.say("alice", other, "still here");
      await purgeRoom(t.parts, roomId);
      await purgeRoom(t.parts, invited);
      if (when.startsWith("in the midst")) await remove(t, 3);
      if (when.endsWith("leader")) t = await testSync(t.storage.name);
      if (when === "at the end") await remove(t);
      const answer = await t.poll("alice", { since });
      expect(answer.rooms.leave[roomId]!.timeline.events).toMatchObject([
        { type: "m.room.member", state_key: t.id("alice"), content: { membership: "leave" } },
      ]);
      expect(texts(answer.rooms.join[other]!.timeline)).toEqual(["still here"]);
      expect((await t.poll("alice", { since: answer.next_batch })).rooms.leave).toEqual({});
      expect(Object.keys((await t.poll("carol", { since: carols })).rooms.leave)).toEqual([invited]);
      const first = await t.poll("alice", { filter: { room: { include_leave: true } } });
      expect([Object.keys(first.rooms.join), first.rooms.leave]).toEqual([[other], {}]);
    },
  );

  test("that was under way when the room went is made without it", async () => {
    const t = await testSync();
    const roomId = await t.create("bob");
    await t.act("alice", "join", roomId);
    const { next_batch: since } = await t.poll("alice");
    for (let i = 0; i < 5; i++) await t.say("bob", roomId, `${i}`);
    const timeline = t.rooms.timeline.bind(t.rooms);
    const purging = vi.spyOn(t.rooms, "timeline").mockImplementationOnce(async (room, range) => {
      await purgeRoom(t.parts, roomId, { leave: false });
      await remove(t);
      await timeline(room, range);
      return Promise.reject(new Error("a state that it needs is gone"));
    });
    expect((await t.poll("alice", { since })).rooms.join).toEqual({});
    expect(purging).toHaveBeenCalled();
  });
});

describe("a room that comes back", () => {
  test("by a join finds nothing of its last life", async () => {
    const t = await testRooms();
    const story = new Story("11");
    const dora = t.user("dora");
    story.member("dora", dora.userId, "join");
    story.tell("hello", "@bob:b.example", { type: "m.room.message", content: { body: "hello" } });
    const events = story.names.map((name) => story.event(name));
    const roomId = events[0]!.pdu.room_id!;
    await new HostedRoom(t.rooms, { rules: story.rules, roomId }).receive(events);
    await say(t, roomId, {}, "dora");
    const room = (await t.rooms.nid(roomId))!;
    expect(await t.rooms.usersIn(room, "join")).toHaveLength(4);

    await purgeRoom(t.parts, roomId);
    await remove(t, 1);
    const state = events.filter(({ pdu }) => pdu.state_key !== undefined && pdu.state_key !== dora.userId);
    const verdict = await t.rooms.input.takeInRoom({
      version: "11",
      event: received(story.event("dora")),
      state: state.map(received),
      authChain: [],
    });
    expect(verdict.outcome).toBe("accepted");
    const { events: timeline } = await t.rooms.timeline(room, { after: 0, upTo: 1e9, limit: 10 });
    expect(timeline.map(({ eventId }) => eventId)).toEqual([story.event("dora").eventId]);
    expect(await t.rooms.eventById(story.event("hello").eventId)).toBeUndefined();
    expect(await t.rooms.usersIn(room, "join")).toHaveLength(4);
    expect(await say(t, roomId, {}, "dora")).toMatch(/^\$/);
    const again = await testRooms(t.storage.name);
    expect(await remove(again)).toBe(0);
    expect(await say(again, roomId, {}, "dora")).toMatch(/^\$/);
  });

  test("property: is what the reference says, wherever the purge was and whoever leads", async () => {
    const removed = fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY);
    await fc.assert(
      fc.asyncProperty(generatedRoom, removed, fc.boolean(), async (room, units, restart) => {
        let t = await testRooms();
        const reference = new ReferenceRoom(room.rules);
        const hosted = new HostedRoom(t.rooms, room);
        for (const event of room.events) reference.receive(event);
        await hosted.receive(room.events);
        await purgeRoom(t.parts, room.roomId, { leave: false });
        if (units > 0) await remove(t, units);
        if (restart) t = await testRooms(t.storage.name);
        const [first, ...others] = room.events.map(received);
        await t.rooms.input.takeInRoom({ version: room.rules.id, event: first!, state: [], authChain: [] });
        for (const event of others) await t.rooms.input.receive(room.roomId, [event]);
        expect(await new HostedRoom(t.rooms, room).view(room.events)).toEqual(referenceView(reference));
      }),
      { numRuns: 20 },
    );
  });
});
