import { authTypesFor } from "../../../../../src/matrix/auth-events.ts";
import { nobleEd25519 } from "../../../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../../../src/matrix/json.ts";
import type { ReceivedEvent } from "../../../../../src/matrix/received-event.ts";
import { roomVersionRules } from "../../../../../src/matrix/room-versions.ts";
import { finishEvent } from "../../../../../src/matrix/signing.ts";
import type { DeviceRequester } from "../../../../../src/worker-roomserver/node/requester.ts";
import type { StoredEvent } from "../../../../../src/worker-roomserver/room/api.ts";
import type { EduNode } from "./edu-node.ts";

const received = ({ eventId, pdu }: Pick<StoredEvent, "eventId" | "pdu">) =>
  ({ eventId, pdu, json: JSON.stringify(pdu) }) as ReceivedEvent;

/** A room at a node that anybody may join. */
export async function publicRoom(creator: DeviceRequester, { node }: EduNode): Promise<string> {
  const body = { preset: "public_chat" as const };
  return (await node.room.createRoom(crypto.randomUUID(), creator, body)).room_id;
}

/** Somebody of one node joins a room of another, as federation will have it done. */
export async function joinAt(
  host: EduNode,
  roomId: string,
  { userId }: DeviceRequester,
  home: EduNode,
): Promise<void> {
  const event = await memberEvent(host, roomId, userId, "join");
  const before = await host.node.roomQueries.stateAt(roomId, event.last, { when: "after" });
  const chain = await host.node.roomQueries.authChain(
    roomId,
    before.map(({ eventId }) => eventId),
  );
  const taken = await home.node.roomInput.takeInRoom({
    version: event.version,
    event: event.received,
    state: before.map(received),
    authChain: chain.map(received),
  });
  if (taken.outcome !== "accepted") throw new Error(`not joined: ${taken.outcome}`);
  await host.node.roomInput.receive(roomId, [event.received]);
}

/** Somebody leaves at home, and the other node hears of it. */
export async function leave(
  { userId, ...requester }: DeviceRequester,
  roomId: string,
  home: EduNode,
  others: readonly EduNode[],
): Promise<void> {
  const change = { roomId, action: "leave" as const, target: userId };
  await home.node.room.changeMembership(crypto.randomUUID(), { userId, ...requester }, change);
  await tellNewest(home, roomId, others);
}

/** Hands the newest events of a room to other nodes. */
export async function tellNewest(from: EduNode, roomId: string, others: readonly EduNode[]): Promise<string> {
  const { extremities } = await from.node.roomQueries.latest(roomId, []);
  for (const other of others) await other.node.roomInput.receive(roomId, extremities.map(received as never));
  return extremities.at(-1)!.eventId;
}

async function memberEvent(host: EduNode, roomId: string, userId: string, membership: string) {
  // With the name that the user has at home: that node would otherwise send another join, with it, at once.
  const content: JsonObject = { membership, displayname: userId.slice(1, userId.indexOf(":")) };
  const subject = { type: "m.room.member", sender: userId, state_key: userId, content };
  const { roomVersion: version } = await host.node.roomQueries.latest(roomId, []);
  const rules = roomVersionRules(version)!;
  const front = await host.node.roomQueries.latest(roomId, authTypesFor(subject, rules));
  const ed25519 = nobleEd25519();
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = {
    keyId: "ed25519:x",
    publicKey: await ed25519.publicKey(seed),
    sign: await ed25519.signer(seed),
  };
  const finished = await finishEvent(
    {
      ...subject,
      room_id: roomId,
      origin_server_ts: Date.now(),
      depth: front.depth + 1,
      prev_events: front.extremities.map(({ eventId }) => eventId),
      auth_events: front.state.map(({ eventId }) => eventId),
    },
    rules,
    userId.slice(userId.indexOf(":") + 1),
    key,
  );
  return { received: received(finished), last: front.extremities.at(-1)!.eventId, version };
}
