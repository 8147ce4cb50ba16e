import { encodeBase64 } from "../../../src/matrix/base64.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { serverKeyDocument } from "../../../src/matrix/server-keys.ts";
import { encodeUtf8 } from "../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../src/matrix/x-matrix.ts";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import type { Mail } from "../../../src/worker-roomserver/relay/api.ts";
import { Floor } from "../../room-server/worker/floor.ts";
import {
  discard as discardRooms,
  host,
  mustBeAccepted,
  receive,
  takeIn,
} from "../../room-server/worker/hosted.ts";
import type { Means } from "../../room-server/worker/means.ts";
import { joinAnswer, memberRoom } from "../../room-server/worker/rooms.ts";
import type { Servers } from "../../room-server/worker/servers.ts";
import type { Branch } from "../../room-server/worker/signed-room.ts";
import type { CatchUpTimes } from "../results.ts";
import { andAny, discard, enter, openWhole, register } from "./whole-node.ts";

/** As many as servers send at a time. */
const IN_TRANSACTION = 50;

/**
 * A node that was away has transactions of one server in its inbox, as a relay has kept them, and takes them in. The room
 * server's own time for the same events is measured right before.
 */
export async function catchUp(
  { servers, ed25519 }: Means,
  { events, members }: { events: number; members: number },
): Promise<CatchUpTimes> {
  const means: Means = { servers: andAny(servers), ed25519 };
  const origin = servers.at(0);
  const dbName = `node-${crypto.randomUUID()}`;
  const egress = keysOf(servers);
  let node = await openWhole(dbName, egress);
  const { serverName } = await node.info();
  const alice = await register(node);
  const room = await memberRoom(means.servers, members);
  await enter(node, alice, room, means);
  const texts = await messages(room.branch, { count: events, sender: room.creator });
  // What has come while it was away: it is there, and nobody has looked at it.
  for (let first = 0; first < texts.length; first += IN_TRANSACTION) {
    const pdus = texts.slice(first, first + IN_TRANSACTION);
    await node.inbox.add(
      await mail({ origin, to: serverName, key: servers.keyOf(origin), id: `${first}`, pdus }),
    );
  }
  await node.close();

  const rooms = await ofRoomServer(means, { members, events });
  const floor = await new Floor(texts, means.servers, ed25519).measure();

  const started = performance.now();
  node = await openWhole(dbName, egress);
  const allTold = told(node, events);
  await node.startFederation();
  await allTold;
  const measured = performance.now() - started;
  const bytes = await node.room.messages(alice, room.branch.roomId, { dir: "b", limit: 1, filter: {} });
  const { chunk } = JSON.parse(new TextDecoder().decode(bytes)) as { chunk: { content: JsonObject }[] };
  if (!String(chunk[0]?.content.body).startsWith(`Message ${events - 1}:`)) {
    throw new Error("what was missed is not there in its order");
  }
  await discard(node, dbName);
  return { floor, rooms, measured };
}

/** Resolves when readers are shown the last of so many events. */
function told(node: OpenNode, events: number): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const stop = node.storage.onEntries((entries) => {
      for (const { topic } of entries) if (topic === "room") count += 1;
      if (count < events) return;
      stop();
      resolve();
    });
  });
}

/** The same events, taken in by a room server alone, as many at a time. */
async function ofRoomServer(
  { servers, ed25519 }: Means,
  { members, events }: { members: number; events: number },
): Promise<number> {
  const room = await memberRoom(servers, members, 1);
  const answer = await joinAnswer(servers, room);
  const texts = await messages(room.branch, { count: events, sender: room.creator });
  const hosted = await host(ed25519);
  await takeIn(hosted, answer, servers, ed25519);
  await hosted.storage.flushed();
  const how = { batch: IN_TRANSACTION, servers, ed25519 };
  const { ms, verdicts } = await receive(hosted, room.branch.roomId, texts, how);
  mustBeAccepted(verdicts);
  await discardRooms(hosted);
  return ms;
}

async function messages(
  branch: Branch,
  { count, sender }: { count: number; sender: string },
): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const body = `Message ${i}: some words as people write them, no more.`;
    const said = { type: "m.room.message", sender, content: { msgtype: "m.text", body } };
    texts.push((await branch.add(said)).text);
  }
  return texts;
}

async function mail(of: {
  origin: string;
  to: string;
  key: ReturnType<Servers["keyOf"]>;
  id: string;
  pdus: readonly string[];
}): Promise<Mail> {
  const { origin, to, key, id } = of;
  const head = JSON.stringify({ origin, origin_server_ts: Date.now(), edus: [] });
  const text = `${head.slice(0, -1)},"pdus":[${of.pdus.join(",")}]}`;
  const uri = `/_matrix/federation/v1/send/${id}`;
  const content = JSON.parse(text) as JsonObject;
  const signed = { method: "PUT", uri, origin, destination: to, content };
  return {
    ...{ origin, transactionId: id, method: "PUT", uri, receivedAt: Date.now() },
    authorization: [await authorizationFor(signed, key)],
    body: encodeBase64(encodeUtf8(text)),
  };
}

/** A network in which servers have keys, and nothing else to say. */
function keysOf(servers: Servers): Egress {
  return {
    fetch: async ({ url }) => {
      const [, name = "", path = ""] = /^matrix:\/\/([^/]+)(\/[^?]*)/.exec(url) ?? [];
      const isKeys = path === "/_matrix/key/v2/server";
      const body = isKeys ? await serverKeyDocument(name, servers.keyOf(name), Date.now(), []) : {};
      const bytes = encodeUtf8(JSON.stringify(body));
      return { status: isKeys ? 200 : 404, headers: {}, url, body: new Blob([bytes]).stream() };
    },
  };
}
