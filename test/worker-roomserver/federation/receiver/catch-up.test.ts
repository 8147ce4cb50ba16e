import { expect, test, vi } from "vitest";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../../src/matrix/x-matrix.ts";
import type { Mail } from "../../../../src/worker-roomserver/relay/api.ts";
import { PeerAndNode } from "../support/peer-and-node.ts";
import type { PeerEvent } from "../support/peer-room.ts";

/** A transaction as a relay has kept it. */
async function kept(world: PeerAndNode, transactionId: string, pdus: readonly PeerEvent[]): Promise<Mail> {
  const { peer, a } = world;
  const body = `{"pdus":[${pdus.map(({ json }) => json).join(",")}]}`;
  const uri = `/_matrix/federation/v1/send/${transactionId}`;
  const request = { method: "PUT", uri, origin: peer.serverName, destination: a.serverName };
  const content = JSON.parse(body) as JsonObject;
  return {
    ...{ origin: peer.serverName, transactionId, method: "PUT", uri, receivedAt: Date.now() },
    authorization: [await authorizationFor({ ...request, content }, peer.keys.current)],
    body: encodeBase64(encodeUtf8(body)),
  };
}

test("what was sent to a node that was closed comes as mail and live, and is all there in order", async () => {
  const world = await PeerAndNode.open();
  await world.send({ pdus: [await world.say("0")] });
  await world.a.close();
  const missed: PeerEvent[] = [];
  for (let i = 1; i <= 30; i++) missed.push(await world.say(`${i}`));
  world.a = await world.a.reopen();
  const { inbox } = world.a.node;
  const live = await world.say("31");
  await Promise.all([
    world.send({ pdus: [live] }),
    (async () => {
      for (let i = 0; i < 30; i += 5) {
        await inbox.add(await kept(world, `m${i}`, missed.slice(i, i + 5)));
        // Two relays have it.
        await inbox.add(await kept(world, `m${i}`, missed.slice(i, i + 5)));
      }
    })(),
  ]);
  for (const event of [...missed, live]) await world.arrived(event);
  expect(await world.shown()).toEqual(Array.from({ length: 32 }, (_, i) => `${i}`));
  await vi.waitFor(async () => expect((await inbox.next(0))?.id).toBeUndefined(), 10_000);
});

test.each<[string, (mail: Mail) => Mail]>([
  ["another body", (mail) => ({ ...mail, body: encodeBase64(encodeUtf8('{"pdus":[]}')) })],
  ["another id", (mail) => ({ ...mail, transactionId: "other" })],
  ["another origin", (mail) => ({ ...mail, origin: "other.example" })],
  ["another path", (mail) => ({ ...mail, uri: `${mail.uri}?x` })],
  ["another method", (mail) => ({ ...mail, method: "POST" })],
  ["no signature", (mail) => ({ ...mail, authorization: [] })],
  ["a body that is no text", (mail) => ({ ...mail, body: "////" })],
])("mail with %s than what was signed is refused, and does not keep the true one out", async (_, spoil) => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const world = await PeerAndNode.open();
  const { inbox } = world.a.node;
  const said = await world.say("said");
  const mail = await kept(world, "one", [said]);
  await inbox.add(spoil(mail));
  await vi.waitFor(async () => expect(await inbox.waiting()).toEqual([]), 10_000);
  expect(await world.stored(said.eventId)).toBeUndefined();
  await inbox.add(mail);
  await world.arrived(said);
  expect(await world.shown()).toEqual(["said"]);
});

test("mail whose key cannot be had stays, and other mail of the same server goes on", async () => {
  const world = await PeerAndNode.open();
  const { inbox } = world.a.node;
  const mail = await kept(world, "one", []);
  const origin = "unknown.example";
  const unknown = { ...mail, origin, authorization: [mail.authorization[0]!.replace(mail.origin, origin)] };
  await inbox.add(unknown);
  const said = await world.say("said");
  await inbox.add(await kept(world, "two", [said]));
  await world.arrived(said);
  await vi.waitFor(async () => expect(await inbox.waiting()).toHaveLength(1), 10_000);
  expect(await inbox.read((await inbox.waiting())[0]!.id)).toMatchObject({ origin });
});

test("mail for one of the node's users by way of a relay is signed for that relay", async () => {
  const world = await PeerAndNode.open();
  const { inbox } = world.a.node;
  const said = await world.say("said");
  const mail = await kept(world, "one", [said]);
  const body = JSON.parse(`{"pdus":[${said.json}]}`) as JsonObject;
  const to = async (userId: string) => {
    const uri = `/_matrix/federation/v1/send_relay/one/${encodeURIComponent(userId)}`;
    const request = { method: "PUT", uri, origin: world.peer.serverName, destination: "relay.example" };
    return {
      ...mail,
      uri,
      authorization: [await authorizationFor({ ...request, content: body }, world.peer.keys.current)],
    };
  };
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  await inbox.add(await to("@alice:elsewhere.example"));
  await vi.waitFor(async () => expect(await inbox.waiting()).toEqual([]), 10_000);
  expect(await world.stored(said.eventId)).toBeUndefined();
  await inbox.add(await to(world.alice.userId));
  await world.arrived(said);
});
