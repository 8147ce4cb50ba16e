import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import type { SyncQuery } from "../../../src/worker-roomserver/sync/api.ts";
import { registerAt, testNode } from "../support/node.ts";
import { json } from "../support/room.ts";
import { type SyncAnswer, texts } from "./support/sync.ts";

async function poll(node: OpenNode, who: Requester, query: Partial<SyncQuery> = {}): Promise<SyncAnswer> {
  const defaults = { fullState: false, setPresence: "offline", timeout: 0, stateSection: "state" } as const;
  const bytes = await node.sync.sync(who, { ...defaults, ...query }, crypto.randomUUID());
  return json(bytes) as unknown as SyncAnswer;
}

const say = (node: OpenNode, who: Requester, roomId: string, body: string) =>
  node.room.sendEvent(who, {
    roomId,
    type: "m.room.message",
    txnId: crypto.randomUUID(),
    content: { msgtype: "m.text", body },
  });

async function start() {
  const node = await testNode();
  const alice = await registerAt(node, "alice");
  const bob = await registerAt(node, "bob");
  const request = crypto.randomUUID();
  const { room_id } = await node.room.createRoom(request, bob, {
    preset: "private_chat",
    name: "Den",
    invite: [alice.userId],
  });
  const invited = await poll(node, alice);
  const join = { roomId: room_id, action: "join", target: alice.userId } as const;
  await node.room.changeMembership(crypto.randomUUID(), alice, join);
  const joined = await poll(node, alice, { since: invited.next_batch });
  return { node, alice, bob, roomId: room_id, invited, joined };
}

const ofType = (events: JsonObject[], type: string) => events.filter((event) => event.type === type);

test("an invite, the room, its first message and its count, read on another device", async () => {
  const { node, alice, bob, roomId, invited, joined } = await start();
  expect(Object.keys(invited.rooms.invite)).toEqual([roomId]);
  expect(ofType(invited.account_data.events, "m.push_rules")).toHaveLength(1);
  expect(joined.rooms.join[roomId]!.unread_notifications).toEqual({
    notification_count: 0,
    highlight_count: 0,
  });

  const { event_id } = await say(node, bob, roomId, "hello alice");
  const told = await poll(node, alice, { since: joined.next_batch });
  const room = told.rooms.join[roomId]!;
  expect(texts(room.timeline)).toEqual(["hello alice"]);
  expect(room.timeline.events[0]!.unsigned.membership).toBe("join");
  expect(room.unread_notifications.notification_count).toBe(1);

  await node.receipts.set(alice, [
    { roomId, type: "m.read.private", eventId: event_id },
    { roomId, type: "m.fully_read", eventId: event_id },
  ]);
  const read = (await poll(node, alice, { since: told.next_batch })).rooms.join[roomId]!;
  expect(read.unread_notifications).toEqual({ notification_count: 0, highlight_count: 0 });
  expect(read.account_data.events).toEqual([{ type: "m.fully_read", content: { event_id } }]);
  expect(ofType(read.ephemeral.events, "m.receipt")).toHaveLength(1);
  // Of this bob learns nothing.
  const bobs = await poll(node, bob, { since: told.next_batch });
  expect(bobs.rooms.join).toEqual({});
});

test("typing, presence and account data wake a poll", async () => {
  const { node, alice, bob, roomId, joined } = await start();
  const wait = (since: string) => poll(node, alice, { since, timeout: 3_600_000 });
  const first = wait(joined.next_batch);
  await node.typing.set(bob, roomId, bob.userId, true, 30_000);
  const typing = await first;
  expect(typing.rooms.join[roomId]!.ephemeral.events).toEqual([
    { type: "m.typing", content: { user_ids: [bob.userId] } },
  ]);
  const second = wait(typing.next_batch);
  await node.presence.set(bob, bob.userId, "unavailable", "at lunch");
  const presence = await second;
  expect(presence.presence.events).toMatchObject([
    { sender: bob.userId, content: { presence: "unavailable" } },
  ]);
  const third = wait(presence.next_batch);
  await node.accountData.set(alice, alice.userId, roomId, "org.example", { a: 1 });
  expect((await third).rooms.join[roomId]!.account_data.events).toEqual([
    { type: "org.example", content: { a: 1 } },
  ]);
  await node.typing.set(bob, roomId, bob.userId, false, 0);
});

test("a stored filter is found by its id", async () => {
  const { node, alice, roomId } = await start();
  const filter = { room: { not_rooms: [roomId] } };
  const { filter_id } = await node.accountData.createFilter(alice, alice.userId, filter);
  expect((await poll(node, alice, { filter: filter_id })).rooms.join).toEqual({});
  expect(Object.keys((await poll(node, alice)).rooms.join)).toEqual([roomId]);
});

test("two clients of one account, of two minds about its presence, wait in peace", async () => {
  const { node, alice, bob, roomId, joined } = await start();
  let answered = 0;
  const clients = (["online", "unavailable"] as const).map(async (setPresence) => {
    let { next_batch: since } = joined;
    for (;;) {
      const answer = await poll(node, alice, { since, timeout: 3_600_000, setPresence });
      since = answer.next_batch;
      answered += 1;
      if (JSON.stringify(answer).includes("the end")) return;
    }
  });
  for (let i = 0; i < 20; i++) await poll(node, bob);
  expect(answered).toBe(0);
  await say(node, bob, roomId, "the end");
  await Promise.all(clients);
  expect(answered).toBe(2);
});
