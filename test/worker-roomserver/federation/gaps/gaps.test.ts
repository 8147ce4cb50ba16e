import { describe, expect, test, vi } from "vitest";
import { endlessAnswer, hugeAnswer, rawAnswer } from "../support/misbehaviour.ts";
import { Peer } from "../support/peer.ts";
import { PeerAndNode } from "../support/peer-and-node.ts";
import type { PeerEvent } from "../support/peer-room.ts";

const V1 = "/_matrix/federation/v1";
const MISSING = `${V1}/get_missing_events/{roomId}`;
const STATE_IDS = `${V1}/state_ids/{roomId}`;
const STATE = `${V1}/state/{roomId}`;
const EVENT = `${V1}/event/{eventId}`;
const AUTH = `${V1}/event_auth/{roomId}/{eventId}`;

async function messages(world: PeerAndNode, count: number): Promise<PeerEvent[]> {
  const sent: PeerEvent[] = [];
  for (let i = 0; i < count; i++) sent.push(await world.say(`${i}`));
  return sent;
}

const named = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

describe.each(["1", "10", "12"])("a gap in a room of version %s", (version) => {
  test("is filled by what its sender has in between, many rounds of it, in order", async () => {
    const world = await PeerAndNode.open({ version });
    const sent = await messages(world, 50);
    const last = sent.at(-1)!;
    expect(await world.send({ pdus: [last] })).toEqual({ [last.eventId]: {} });
    await world.arrived(last);
    const asked = world.asked().filter((path) => path.includes("get_missing_events"));
    expect(asked).toHaveLength(3);
    expect(world.asked().filter((path) => !path.includes("get_missing_events"))).toEqual([]);
    expect(await world.shown()).toEqual(named(50));
    await vi.waitFor(async () => expect(await world.waitingEvents()).toBe(0), 10_000);
  });

  test("that is not to be filled is passed over with the state after what is missing", async () => {
    const world = await PeerAndNode.open({ version });
    world.peer.override("POST", MISSING, () => ({ events: [] }));
    const topic = { type: "m.room.topic", state_key: "" };
    await world.room.send({ ...topic, content: { topic: "old" } });
    await world.say("missed");
    const missing = await world.room.send({ ...topic, content: { topic: "new" } });
    const last = await world.say("last");
    await world.send({ pdus: [last] });
    const { stateBefore, afterGap } = await world.arrived(last);
    expect(afterGap).toBe(true);
    const { room } = world.a.node;
    const state = await world.a.node.roomQueries.stateAt(world.room.roomId, last.eventId, {
      ...{ when: "before", keys: [["m.room.topic", ""]] },
    });
    expect(stateBefore).not.toBe(0);
    expect(state.map(({ eventId }) => eventId)).toEqual([missing.eventId]);
    expect(
      await room.stateEvent(world.alice, {
        ...{ roomId: world.room.roomId, type: "m.room.topic", stateKey: "", format: "content" },
      }),
    ).toEqual({ topic: "new" });
    const asked = world.network.carried.filter(({ uri }) => uri.includes("/state_ids/"));
    expect(asked.map(({ uri }) => decodeURIComponent(uri.split("event_id=")[1]!))).toEqual([missing.eventId]);
  });
});

test("of a large state that is mostly unknown, the whole is asked for; of another, the events", async () => {
  const world = await PeerAndNode.open();
  world.peer.override("POST", MISSING, () => ({ events: [] }));
  for (let i = 0; i < 60; i++) {
    await world.room.send({ type: "org.example.entry", state_key: `${i}`, content: {} });
  }
  const many = await world.say("many");
  await world.send({ pdus: [many] });
  await world.arrived(many);
  const paths = () => world.asked().map((path) => path.split("/")[4]);
  expect(paths().filter((name) => name === "state")).toHaveLength(1);
  const before = paths().length;
  await world.say("missed");
  for (let i = 0; i < 3; i++) await world.room.send({ type: "org.example.more", state_key: `${i}` });
  const few = await world.say("few");
  await world.send({ pdus: [few] });
  await world.arrived(few);
  const later = paths().slice(before);
  expect(later).not.toContain("state");
  expect(later.filter((name) => name === "event")).toHaveLength(3);
});

test("events that come in any order are all there in the end", async () => {
  const world = await PeerAndNode.open();
  world.peer.override("POST", MISSING, () => ({ events: [] }));
  world.peer.override("GET", STATE_IDS, () => rawAnswer('{"errcode":"M_UNKNOWN"}', 503));
  world.peer.override("GET", EVENT, () => rawAnswer('{"errcode":"M_UNKNOWN"}', 503));
  const sent = await messages(world, 12);
  for (const event of sent.toReversed()) await world.send({ pdus: [event] });
  for (const event of sent) await world.arrived(event);
  expect(await world.shown()).toEqual(named(12));
  await vi.waitFor(async () => expect(await world.waitingEvents()).toBe(0), 10_000);
});

test("an event whose auth events are unknown gets them; what nobody has, nothing goes by", async () => {
  const world = await PeerAndNode.open();
  const { room, peer } = world;
  const bob = peer.user("bob");
  const joined = await room.make({
    ...{ type: "m.room.member", sender: bob, state_key: bob, content: { membership: "join" } },
  });
  const [tip = ""] = room.extremities;
  room.add(joined);
  const usual = [room.state("m.room.create")!, room.state("m.room.power_levels")!].map((one) => one.eventId);
  const good = await room.make({
    type: "m.room.message",
    sender: bob,
    prev: [tip],
    auth: [...usual, joined.eventId],
  });
  room.add(good);
  await world.send({ pdus: [good] });
  await world.arrived(good);
  expect((await world.stored(joined.eventId))?.isOutlier).toBe(true);
  expect(world.asked()[0]).toContain("/event_auth/");

  const nowhere = `$${"n".repeat(43)}`;
  const bad = await room.make({ type: "m.room.message", prev: [tip], auth: [...usual, nowhere] });
  room.add(bad);
  await world.send({ pdus: [bad] });
  expect(await world.arrived(bad)).toMatchObject({ status: 1 });
});

describe("a server that lies", () => {
  test.each<[string, (world: PeerAndNode) => void]>([
    [
      "that it knows nothing",
      ({ peer }) => {
        for (const path of [STATE_IDS, STATE, EVENT, AUTH]) {
          peer.override("GET", path, () => rawAnswer('{"errcode":"M_NOT_FOUND"}', 404));
        }
      },
    ],
    [
      "in its state, which has nothing",
      ({ peer }) => {
        peer.override("GET", STATE_IDS, () => ({ pdu_ids: [], auth_chain_ids: [] }));
      },
    ],
    [
      "in its state, which is of another form",
      ({ peer }) => {
        peer.override("GET", STATE_IDS, () => ({ pdu_ids: "all", auth_chain_ids: {} }));
      },
    ],
    [
      "in its state, which is of another room",
      ({ peer }) => {
        peer.override("GET", STATE_IDS, async () => {
          const other = await peer.createRoom();
          const ids = other.stateBefore().map(({ eventId }) => eventId);
          return { pdu_ids: ids, auth_chain_ids: ids };
        });
      },
    ],
    [
      "without an end",
      ({ peer }) => {
        for (const path of [STATE_IDS, STATE, EVENT, AUTH]) peer.override("GET", path, () => endlessAnswer());
      },
    ],
    [
      "at length",
      ({ peer }) => {
        for (const path of [EVENT, AUTH]) peer.override("GET", path, () => hugeAnswer(20_000_000));
        peer.override("GET", STATE_IDS, () => hugeAnswer(20_000_000));
      },
    ],
    [
      "about which event it is",
      ({ peer, room }) => {
        const [first] = [...room.events.values()];
        peer.override("GET", EVENT, () => ({ pdus: [first!.pdu] }));
        peer.override("GET", STATE_IDS, () => rawAnswer("{}", 404));
      },
    ],
  ])("%s gets nothing in, and others of the room do", async (_, lie) => {
    const world = await PeerAndNode.open();
    world.peer.override("POST", MISSING, () => ({ events: [] }));
    const known = world.room.extremities;
    await world.say("missed");
    lie(world);
    const lost = await world.say("lost");
    await world.send({ pdus: [lost] });
    await vi.waitFor(async () => expect(await world.waitingEvents()).toBe(0), 10_000);
    expect(await world.stored(lost.eventId)).toBeUndefined();
    const other = await world.say("other", { prev: known });
    await world.send({ pdus: [other] });
    expect(await world.shown()).toEqual(["other"]);
  });

  test("about ancestors without an end makes this server ask so often, and no more", async () => {
    const world = await PeerAndNode.open();
    const { room, peer } = world;
    // Each answer is one more event, which is built upon one that was made up just for it.
    let next = await room.make({ type: "m.room.message", prev: [`$${"x".repeat(43)}`] });
    const chain: PeerEvent[] = [next];
    for (let i = 0; i < 60; i++) {
      next = await room.make({ type: "m.room.message", prev: [next.eventId], auth: [] });
      chain.push(next);
    }
    let at = chain.length - 1;
    peer.override("POST", MISSING, () => ({ events: [chain[--at]!.pdu] }));
    peer.override("GET", STATE_IDS, () => rawAnswer("{}", 404));
    await world.send({ pdus: [chain.at(-1)!] });
    await vi.waitFor(async () => expect(await world.waitingEvents()).toBe(0), 10_000);
    expect(world.asked().length).toBeLessThan(30);
  });

  test("in what lies in between has nothing of it taken that the event is not built upon", async () => {
    const world = await PeerAndNode.open();
    const between = await world.say("between");
    const last = await world.say("last");
    const smuggled = await world.room.make({
      ...{
        type: "m.room.message",
        content: { body: "smuggled" },
        prev: [...(between.pdu.prev_events as string[])],
      },
    });
    const forged = await world.room.make({
      type: "m.room.message",
      content: { body: "forged" },
      bad: "signature",
    });
    world.peer.override("POST", MISSING, () => ({ events: [smuggled.pdu, forged.pdu, between.pdu] }));
    await world.send({ pdus: [last] });
    await world.arrived(last);
    expect(await world.shown()).toEqual(["between", "last"]);
  });
});

test("other servers of the room are asked for what the sender does not tell", async () => {
  const world = await PeerAndNode.open();
  const other = await Peer.open(world.network);
  const bob = other.user("bob");
  const joined = await world.room.send({
    ...{ type: "m.room.member", sender: bob, state_key: bob, content: { membership: "join" } },
  });
  await world.a.node.roomInput.receive(world.room.roomId, [joined as never]);
  other.rooms.set(world.room.roomId, world.room);
  for (const path of [STATE_IDS, EVENT]) world.peer.override("GET", path, () => rawAnswer("{}", 404));
  world.peer.override("POST", MISSING, () => ({ events: [] }));
  await world.say("missed");
  const last = await world.say("last");
  await world.send({ pdus: [last] });
  await world.arrived(last);
  expect(await world.shown()).toEqual(["missed", "last"]);
  expect(world.network.carried.some(({ to }) => to === other.serverName)).toBe(true);
});

test("what could not be completed as nobody was reached is completed when the node is opened again", async () => {
  const world = await PeerAndNode.open();
  const missed = await world.say("missed");
  const last = await world.say("last");
  world.peer.override("POST", MISSING, () => rawAnswer("{}", 500));
  world.peer.override("GET", STATE_IDS, () => rawAnswer("{}", 500));
  await world.send({ pdus: [last] });
  await vi.waitFor(() => expect(world.asked().join()).toContain("get_missing_events"), 10_000);
  expect(await world.waitingEvents()).toBe(1);
  await world.a.close();
  world.peer.override("POST", MISSING, () => ({ events: [missed.pdu] }));
  world.a = await world.a.reopen();
  // It is left alone, as it has not answered, until it is heard from.
  await world.send({ edus: [] });
  await world.arrived(last);
  expect(await world.shown()).toEqual(["missed", "last"]);
});

test("an event whose auth events could not be asked for is not given up", async () => {
  const world = await PeerAndNode.open();
  const { room, peer } = world;
  const bob = peer.user("bob");
  const [tip = ""] = room.extremities;
  const usual = [room.state("m.room.create")!, room.state("m.room.power_levels")!].map((one) => one.eventId);
  const joined = await room.send({
    ...{ type: "m.room.member", sender: bob, state_key: bob, content: { membership: "join" } },
  });
  const said = await room.send({
    ...{ type: "m.room.message", sender: bob, prev: [tip], auth: [...usual, joined.eventId] },
  });
  let isDown = true;
  peer.override("GET", AUTH, ({ params }) =>
    isDown || params.eventId !== said.eventId
      ? rawAnswer("{}", 500)
      : { auth_chain: room.authChain([said]).map(({ pdu }) => pdu) },
  );
  await world.send({ pdus: [said] });
  await vi.waitFor(() => expect(world.asked().join()).toContain("/event_auth/"), 10_000);
  await world.a.close();
  isDown = false;
  world.a = await world.a.reopen();
  await world.send({ edus: [] });
  await world.arrived(said);
});

test("a room whose servers hang holds up no other room of the same sender", async () => {
  const world = await PeerAndNode.open();
  let release: (answer: never) => void = () => undefined;
  const hanging = new Promise<never>((resolve) => {
    release = resolve;
  });
  world.peer.override("POST", MISSING, () => hanging);
  await world.say("missed");
  const stuck = await world.say("stuck");
  const second = await world.peer.createRoom();
  const first = world.room;
  Object.assign(world, { room: second });
  await world.join(world.alice.userId);
  const fine = await world.say("fine");
  expect(await world.send({ pdus: [stuck, fine] })).toEqual({ [stuck.eventId]: {}, [fine.eventId]: {} });
  expect(await world.shown()).toEqual(["fine"]);
  expect(await world.stored(stuck.eventId)).toBeUndefined();
  release({ events: [] } as never);
  Object.assign(world, { room: first });
  await world.arrived(stuck);
});
