import { describe, expect, test, vi } from "vitest";
import { PeerAndNode, say } from "../support/peer-and-node.ts";

describe.each(["1", "3", "10", "12"])("a transaction of room version %s", (version) => {
  test("its events are taken in, and it is answered with each", async () => {
    const world = await PeerAndNode.open({ version });
    const one = await world.say("one");
    const two = await world.say("two");
    const results = await world.send({ pdus: [one, two] });
    expect(results).toEqual({ [one.eventId]: {}, [two.eventId]: {} });
    expect(await world.shown()).toEqual(["one", "two"]);
  });

  test("what is wrong with one event is that one's: hash, signature, none, of another room, no event", async () => {
    const world = await PeerAndNode.open({ version });
    const hash = await world.say("hash", { bad: "hash" });
    const others = { type: "m.room.message", prev: [hash.eventId] };
    const forged = await world.room.make({ ...others, content: { body: "forged" }, bad: "signature" });
    const unsigned = await world.room.make({ ...others, content: { body: "unsigned" }, bad: "unsigned" });
    const fine = await world.say("fine");
    const stranger = { json: fine.json.replace(world.room.roomId, "!other:x.example") };
    const results = await world.send({
      pdus: [hash, forged, unsigned, stranger, { json: '{"a":1.5}' }, { json: "7" }, fine],
    });
    expect(results).toEqual({
      [hash.eventId]: {},
      [forged.eventId]: { error: expect.stringContaining("signature") },
      [fine.eventId]: {},
      ...(unsigned.eventId in results && { [unsigned.eventId]: results[unsigned.eventId] }),
    });
    expect(await world.shown()).toEqual(["(redacted)", "fine"]);
    expect(await world.stored(forged.eventId)).toBeUndefined();
    expect(await world.stored(unsigned.eventId)).toBeUndefined();
    expect((await world.stored(hash.eventId))?.pdu.content).toEqual({});
  });
});

test("the same transaction again is answered the same, also by the next leader, and has no more effect", async () => {
  const world = await PeerAndNode.open();
  const one = await world.say("one");
  const forged = await world.room.make({ type: "m.room.message", bad: "signature" });
  const transaction = { transactionId: "t", pdus: [one, forged] };
  const results = await world.send(transaction);
  expect(Object.keys(results)).toHaveLength(2);
  const other = { transactionId: "t", pdus: [await world.say("two")] };
  expect(await world.send(other)).toEqual(results);
  world.a = await world.a.reopen();
  expect(await world.send(transaction)).toEqual(results);
  expect(await world.shown()).toEqual(["one"]);
});

test.each([
  ["more than 50 events", { pdus: Array.from({ length: 51 }, () => ({ json: "{}" })) }],
  ["more than 100 EDUs", { edus: Array.from({ length: 101 }, () => ({})) }],
])("%s are no transaction", async (_, parts) => {
  const world = await PeerAndNode.open();
  const { status, json } = await world.peer.sendTransaction(world.a.serverName, parts);
  expect([status, json.errcode]).toEqual([400, "M_BAD_JSON"]);
});

test("a server that the room keeps out is told so, and another is not", async () => {
  const world = await PeerAndNode.open();
  const list = await world.room.send({
    ...{ type: "m.room.server_acl", state_key: "" },
    content: { allow: ["*"], deny: [world.peer.serverName] },
  });
  expect(await world.send({ pdus: [list] })).toEqual({ [list.eventId]: {} });
  const late = await world.say("late");
  expect(await world.send({ pdus: [late] })).toEqual({
    [late.eventId]: { error: expect.stringContaining("keeps your server out") },
  });
  expect(await world.shown()).toEqual([]);
});

test("an event of a sender on another server waits for that one's key, and holds up nothing", async () => {
  const world = await PeerAndNode.open();
  const unsigned = await world.say("foreign", { sender: "@carol:slow.example" });
  const signatures = { "slow.example": { "ed25519:a": "A".repeat(86) } };
  const foreign = { ...unsigned, json: JSON.stringify({ ...unsigned.pdu, signatures }) };
  const own = await world.say("own", { prev: [world.room.extremities[0]!] });
  const other = await world.say("other", { prev: [...foreign.pdu.prev_events] as string[] });
  const results = await world.send({ pdus: [foreign, other, own] });
  expect(results).toEqual({ [foreign.eventId]: {}, [other.eventId]: {}, [own.eventId]: {} });
  expect(await world.shown()).toEqual(["other"]);
  await vi.waitFor(async () => expect(await world.waitingEvents()).toBeGreaterThan(0), 10_000);
});

test("two versions of one event: each is judged by itself", async () => {
  const world = await PeerAndNode.open();
  const prev = world.room.extremities;
  const one = await world.say("one", { prev });
  const two = await world.say("two", { prev });
  expect(await world.send({ pdus: [two, one, two] })).toEqual({ [one.eventId]: {}, [two.eventId]: {} });
  expect((await world.shown()).sort()).toEqual(["one", "two"]);
});

const change = (
  { a, alice }: PeerAndNode,
  roomId: string,
  action: "join" | "leave",
  servers: string[] = [],
) =>
  a.node.room.changeMembership(crypto.randomUUID(), alice, {
    ...{ roomId, action, target: alice.userId, servers },
  });

test("events of a room that all from here have left are not taken in, and those of other rooms beside them are", async () => {
  const world = await PeerAndNode.open();
  const other = await world.peer.createRoom();
  await change(world, other.roomId, "join", [world.peer.serverName]);
  const before = await say(other, "before");
  await world.send({ pdus: [before] });
  await change(world, other.roomId, "leave");
  const [after, one] = [await say(other, "after"), await world.say("one")];
  expect(await world.send({ pdus: [after, one] })).toEqual({ [one.eventId]: {} });
  expect(await world.stored(before.eventId)).toBeDefined();
  expect(await world.stored(after.eventId)).toBeUndefined();
  expect(await world.waitingEvents()).toBe(0);
});

test("events of a room that is just being joined hold up nothing, and are there when it is joined", async () => {
  const world = await PeerAndNode.open();
  const { peer } = world;
  const other = await peer.createRoom();
  let letGo: () => void = () => undefined;
  const isAsked = new Promise<void>((asked) => {
    world.network.add(peer.serverName, async (request, signal) => {
      const answer = await peer.answer(request, signal);
      if (request.target.includes("/send_join/")) {
        asked();
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      }
      return answer;
    });
  });
  const join = change(world, other.roomId, "join", [peer.serverName]);
  await isAsked;
  const [early, one] = [await say(other, "early"), await world.say("one")];
  expect(await world.send({ pdus: [early, one] })).toEqual({ [one.eventId]: {} });
  expect(await world.stored(early.eventId)).toBeUndefined();
  letGo();
  await join;
  expect((await world.arrived(early)).pdu.content.body).toBe("early");
});
