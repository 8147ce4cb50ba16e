import { expect, test, vi } from "vitest";
import { bodyOf } from "../../../../src/link/bodies.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import { registerAt } from "../../support/node.ts";
import { type FederatedNode, federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { wholeRoom } from "./support/remote-events.ts";

/** Two nodes in one room: Alice's, and Bob's that has joined it. */
async function two() {
  const network = new TestNetwork();
  const [a, b] = [await federatedNode(network), await federatedNode(network)];
  const alice = await registerAt(a.node, "alice");
  const bob = await registerAt(b.node, "bob");
  const { room_id: roomId } = await a.node.room.createRoom(crypto.randomUUID(), alice, {
    preset: "public_chat",
  });
  const room = await wholeRoom(a.node, roomId, bob.userId);
  await a.node.roomInput.receive(roomId, [room.event]);
  await b.node.roomInput.takeInRoom(room);
  return { network, a, b, alice, bob, roomId };
}

const say = (at: FederatedNode, who: DeviceRequester, roomId: string, body: string) =>
  at.node.room.sendEvent(who, {
    ...{ roomId, type: "m.room.message", txnId: crypto.randomUUID(), content: { body } },
  });

/** What one server has sent another of events, by what tells them apart, in the order in which each came first. */
function sent(network: TestNetwork, from: FederatedNode, to: FederatedNode): string[] {
  const transactions = network.carried.filter(
    (one) => one.from === from.serverName && one.to === to.serverName && one.uri.includes("/v1/send/"),
  );
  const said = transactions.flatMap(({ body = "" }) => {
    const { pdus } = JSON.parse(body) as { pdus: { content: JsonObject }[] };
    return pdus.map(({ content }) => String(content.body ?? content.membership));
  });
  return [...new Set(said)];
}

test("what is said on two nodes reaches the other one, in its order", async () => {
  const { network, a, b, alice, bob, roomId } = await two();
  const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);
  for (const n of numbers) {
    await say(a, alice, roomId, `a${n}`);
    await say(b, bob, roomId, `b${n}`);
  }
  await vi.waitFor(() => expect(sent(network, a, b)).toEqual(numbers.map((n) => `a${n}`)));
  // Bob's own join came by way of Alice's node, which has told all others of it.
  await vi.waitFor(() => expect(sent(network, b, a)).toEqual(numbers.map((n) => `b${n}`)));
});

test("what is said while a node is closed reaches it afterwards, also after the other one was closed too", async () => {
  const { network, a, b, alice, bob, roomId } = await two();
  await say(a, alice, roomId, "before");
  await vi.waitFor(() => expect(sent(network, a, b)).toEqual(["before"]));
  await b.close();
  await say(a, alice, roomId, "meanwhile 1");
  await say(a, alice, roomId, "meanwhile 2");
  const again = await a.reopen();
  await say(again, alice, roomId, "meanwhile 3");
  const back = await b.reopen();
  // Whoever is heard from is there; and whoever has more to be told is told all.
  await say(back, bob, roomId, "back");
  await vi.waitFor(() => expect(sent(network, back, again)).toContain("back"));
  await say(again, alice, roomId, "after");
  const all = ["before", "meanwhile 1", "meanwhile 2", "meanwhile 3", "after"];
  await vi.waitFor(() => expect(sent(network, again, back)).toEqual(all));
});

test("a leave reaches the server that it was about, and nothing does after that", async () => {
  const { network, a, b, alice, bob, roomId } = await two();
  const kick = { roomId, action: "kick", target: bob.userId } as const;
  await a.node.room.changeMembership(crypto.randomUUID(), alice, kick);
  await vi.waitFor(() => expect(sent(network, a, b)).toEqual(["leave"]));
  await say(a, alice, roomId, "not for bob");
  // A third one tells when that was gone through.
  const c = await federatedNode(network);
  const carol = `@carol:${c.serverName}`;
  const { event } = await wholeRoom(a.node, roomId, carol);
  await a.node.roomInput.receive(roomId, [event]);
  await say(a, alice, roomId, "for carol");
  await vi.waitFor(() => expect(sent(network, a, c)).toEqual(["for carol"]));
  expect(sent(network, a, b)).toEqual(["leave"]);
});

test("who has checked a server's keys knows by what relays it is reached, and leaves there what it cannot have", async () => {
  const network = new TestNetwork();
  const a = await federatedNode(network);
  const b = await federatedNode(network, undefined, "b.example");
  const url = "https://relay.example";
  const row = { name: "A relay", added: "owner", clientApi: false, names: [], takenBack: 0 } as const;
  await b.node.storage.commit((write) => write.put("relays", { ...row, names: [] }, url));
  const [alice, bob] = [await registerAt(a.node, "alice"), await registerAt(b.node, "bob")];
  const { room_id: roomId } = await a.node.room.createRoom(crypto.randomUUID(), alice, {
    preset: "public_chat",
  });
  await b.node.room.changeMembership(crypto.randomUUID(), bob, {
    ...{ roomId, action: "join", target: bob.userId, servers: [a.serverName] },
  });
  const relays = async () => {
    const all = await a.node.federation.destinations();
    return all.find(({ serverName }) => serverName === b.serverName)?.relays;
  };
  await vi.waitFor(async () => expect(await relays()).toEqual([url]), { timeout: 20_000 });
  const left: string[] = [];
  network.add("relay.example", async ({ target }) => {
    left.push(target);
    return { status: 200, headers: [], body: bodyOf(encodeUtf8('{"pdus":{}}')) };
  });
  await b.close();
  await say(a, alice, roomId, "while you are away");
  await vi.waitFor(
    () =>
      expect(left.some((target) => target.includes("/send_relay/") && target.endsWith("b.example"))).toBe(
        true,
      ),
    { timeout: 20_000 },
  );
});
