import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import { registerAt } from "../../support/node.ts";
import { json } from "../../support/room.ts";
import { TestNetwork } from "../support/network.ts";
import { type EduNode, eduNode } from "./support/edu-node.ts";
import { joinAt, leave, publicRoom, tellNewest } from "./support/shared-room.ts";

type Told = {
  next_batch: string;
  presence?: { events: { sender: string; content: JsonObject }[] };
  rooms?: {
    join?: { [roomId: string]: { ephemeral?: { events: { type: string; content: JsonObject }[] } } };
  };
};

const request = () => crypto.randomUUID();

async function sync({ node }: EduNode, who: DeviceRequester, since?: string): Promise<Told> {
  const query = {
    since,
    fullState: false,
    setPresence: "offline",
    timeout: 0,
    stateSection: "state",
  } as const;
  return json(await node.sync.sync(who, query, request())) as unknown as Told;
}

/** Alice at one node, bob at another, in a room of alice's. */
async function together() {
  const network = new TestNetwork();
  const [here, there] = [await eduNode(network), await eduNode(network)];
  const [alice, bob] = [await registerAt(here.node, "alice"), await registerAt(there.node, "bob")];
  const roomId = await publicRoom(alice, here);
  await joinAt(here, roomId, bob, there);
  await here.carry();
  await there.carry();
  here.received.length = 0;
  there.received.length = 0;
  return { network, here, there, alice, bob, roomId };
}

const ephemeral = (told: Told, roomId: string, type: string) =>
  (told.rooms?.join?.[roomId]?.ephemeral?.events ?? []).filter((event) => event.type === type);

async function say({ node }: EduNode, who: DeviceRequester, roomId: string): Promise<string> {
  const event = { roomId, type: "m.room.message", txnId: request(), content: { body: "hi" } };
  return (await node.room.sendEvent(who, event)).event_id;
}

describe("typing", () => {
  test("is told to the other servers in the room, by user, and comes out in sync", async () => {
    const { here, there, alice, bob, roomId } = await together();
    const start = await sync(there, bob);
    await here.node.typing.set(alice, roomId, alice.userId, true, 30_000);
    await here.carry();
    const content = { room_id: roomId, user_id: alice.userId, typing: true };
    expect(there.received).toEqual([{ edu_type: "m.typing", content }]);
    const typing = await sync(there, bob, start.next_batch);
    expect(ephemeral(typing, roomId, "m.typing")).toEqual([
      { type: "m.typing", content: { user_ids: [alice.userId] } },
    ]);
    // It is the other server's to tell of alice.
    await there.carry();
    expect(here.received).toEqual([]);
    await here.node.typing.set(alice, roomId, alice.userId, false, 0);
    await here.carry();
    expect(there.received.at(-1)).toEqual({ edu_type: "m.typing", content: { ...content, typing: false } });
    const stopped = await sync(there, bob, typing.next_batch);
    expect(ephemeral(stopped, roomId, "m.typing")).toEqual([{ type: "m.typing", content: { user_ids: [] } }]);
  });

  test.each<[string, (given: Awaited<ReturnType<typeof together>>) => Promise<[string, JsonObject]>]>([
    [
      "of a user of another server",
      async ({ there, alice, roomId }) => [
        there.serverName,
        { room_id: roomId, user_id: alice.userId, typing: true },
      ],
    ],
    [
      "of who is not in the room",
      async ({ there, roomId }) => [
        there.serverName,
        { room_id: roomId, user_id: `@eve:${there.serverName}`, typing: true },
      ],
    ],
    [
      "of a server that the room keeps out",
      async ({ here, there, alice, bob, roomId }) => {
        const content = { allow: ["*"], deny: [there.serverName] };
        const state = { roomId, type: "m.room.server_acl", stateKey: "", content };
        await here.node.room.setState(request(), alice, state);
        return [there.serverName, { room_id: roomId, user_id: bob.userId, typing: true }];
      },
    ],
    [
      "of a room that is not known",
      async ({ there, bob }) => [
        there.serverName,
        { room_id: "!nowhere:x", user_id: bob.userId, typing: true },
      ],
    ],
    ["that is malformed", async ({ there }) => [there.serverName, { room_id: 1 }]],
  ])("%s has no effect", async (_, make) => {
    const given = await together();
    const { here, alice, roomId } = given;
    const [origin, content] = await make(given);
    const start = await sync(here, alice);
    await here.edus.take(origin, { edu_type: "m.typing", content });
    expect(ephemeral(await sync(here, alice, start.next_batch), roomId, "m.typing")).toEqual([]);
  });
});

describe("receipts", () => {
  test("of a server that the room keeps out have no effect as long as it does", async () => {
    const { here, there, alice, bob, roomId } = await together();
    const eventId = await say(here, alice, roomId);
    const content = { allow: ["*"], deny: [there.serverName] };
    await here.node.room.setState(request(), alice, {
      ...{ roomId, type: "m.room.server_acl", stateKey: "", content },
    });
    const start = await sync(here, alice);
    const receipt = { "m.read": { [bob.userId]: { event_ids: [eventId], data: { ts: 1 } } } };
    const edu = { edu_type: "m.receipt", content: { [roomId]: receipt } };
    await here.edus.take(there.serverName, edu);
    expect(ephemeral(await sync(here, alice, start.next_batch), roomId, "m.receipt")).toEqual([]);
    await here.node.room.setState(request(), alice, {
      ...{ roomId, type: "m.room.server_acl", stateKey: "", content: { allow: ["*"] } },
    });
    await here.edus.take(there.serverName, edu);
    expect(ephemeral(await sync(here, alice, start.next_batch), roomId, "m.receipt")).toHaveLength(1);
  });

  test("go to the other servers with their thread and time; private ones do not", async () => {
    const { here, there, alice, bob, roomId } = await together();
    const eventId = await say(here, alice, roomId);
    await tellNewest(here, roomId, [there]);
    const start = await sync(here, alice);
    await there.node.receipts.set(bob, [{ roomId, type: "m.read.private", eventId }]);
    await there.carry();
    expect(here.received).toEqual([]);
    await there.node.receipts.set(bob, [{ roomId, type: "m.read", eventId, threadId: "main" }]);
    await there.carry();
    const data = { ts: expect.any(Number), thread_id: "main" };
    expect(here.received).toEqual([
      {
        edu_type: "m.receipt",
        content: { [roomId]: { "m.read": { [bob.userId]: { event_ids: [eventId], data } } } },
      },
    ]);
    const told = await sync(here, alice, start.next_batch);
    expect(ephemeral(told, roomId, "m.receipt")).toEqual([
      { type: "m.receipt", content: { [eventId]: { "m.read": { [bob.userId]: data } } } },
    ]);
  });

  test("never move back, whatever the other server says, and what is wrong takes nothing else with it", async () => {
    const { here, there, alice, bob, roomId } = await together();
    const [first, second] = [await say(here, alice, roomId), await say(here, alice, roomId)];
    const receipt = (eventId: unknown, ts: unknown = 5) =>
      ({ event_ids: [eventId], data: { ts } }) as JsonObject;
    const take = (users: JsonObject, room = roomId) =>
      here.edus.take(there.serverName, { edu_type: "m.receipt", content: { [room]: { "m.read": users } } });
    const read = async () =>
      (await here.node.storage.getAll("receipts")).map(({ eventId, ts }) => [eventId, ts]);
    await take({
      [alice.userId]: receipt(first),
      [`@eve:${there.serverName}`]: receipt(first),
      [bob.userId]: receipt(second),
    });
    expect(await read()).toEqual([[second, 5]]);
    await take({ [bob.userId]: receipt(first) });
    await take({ [bob.userId]: receipt("$unknown") });
    await take({ [bob.userId]: receipt(7) });
    await take({ [bob.userId]: receipt(second, -1) });
    await take({ [bob.userId]: receipt(second) }, "!nowhere:x");
    expect(await read()).toEqual([[second, 5]]);
  });
});

describe("presence", () => {
  test("goes to servers that share a room with the user, and comes out in sync", async () => {
    const { here, there, alice, bob } = await together();
    const start = await sync(there, bob);
    await here.node.presence.set(alice, alice.userId, "online", "at the desk");
    await here.carry();
    const state = {
      presence: "online",
      status_msg: "at the desk",
      currently_active: true,
      last_active_ago: expect.any(Number),
    };
    expect(there.received).toEqual([
      { edu_type: "m.presence", content: { push: [{ ...state, user_id: alice.userId }] } },
    ]);
    const told = await sync(there, bob, start.next_batch);
    expect(told.presence?.events).toEqual([{ type: "m.presence", sender: alice.userId, content: state }]);
    expect(await there.node.presence.get(bob, alice.userId)).toEqual(state);
    await there.carry();
    expect(here.received).toEqual([]);
  });

  test("of strangers, and of users of other servers, is not taken in", async () => {
    const { here, there, alice, bob, roomId } = await together();
    const push = (userId: string) => ({
      edu_type: "m.presence",
      content: { push: [{ user_id: userId, presence: "online", last_active_ago: 1 }] },
    });
    await here.edus.take(there.serverName, push(alice.userId));
    expect((await here.node.presence.get(alice, alice.userId)).presence).toBe("offline");
    await leave(bob, roomId, there, [here]);
    const before = here.node.storage.position;
    await here.edus.take(there.serverName, push(bob.userId));
    await here.node.storage.settled();
    // The leave itself may still lead to entries of other kinds.
    const later = await here.node.storage.entriesAfter(before, 1_000);
    expect(later!.filter(({ topic }) => topic === "presence")).toEqual([]);
  });

  test("of those who are there is told to a server that comes to the room", async () => {
    const { network, here, alice, roomId } = await together();
    await here.node.presence.set(alice, alice.userId, "online", undefined);
    const third = await eduNode(network);
    const carol = await registerAt(third.node, "carol");
    await here.carry();
    await joinAt(here, roomId, carol, third);
    await here.carry();
    expect(third.received.filter(({ edu_type }) => edu_type === "m.presence")).toEqual([
      {
        edu_type: "m.presence",
        content: { push: [expect.objectContaining({ user_id: alice.userId, presence: "online" })] },
      },
    ]);
  });
});

test("what happens where nobody elsewhere is leads to nothing", async () => {
  const network = new TestNetwork();
  const here = await eduNode(network);
  const alice = await registerAt(here.node, "alice");
  const roomId = await publicRoom(alice, here);
  const eventId = await say(here, alice, roomId);
  await here.node.typing.set(alice, roomId, alice.userId, true, 30_000);
  await here.node.receipts.set(alice, [{ roomId, type: "m.read", eventId }]);
  await here.node.presence.set(alice, alice.userId, "online", undefined);
  await here.node.storage.settled();
  const entries = (await here.node.storage.entriesAfter(0, 1_000))!;
  const topics = new Set(entries.map(({ topic }) => topic));
  expect([...topics]).toEqual(expect.arrayContaining(["room", "typing", "receipt", "presence"]));
  for (const entry of entries) expect(await here.edus.outgoing.of(entry)).toEqual([]);
});
