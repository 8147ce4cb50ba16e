import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import { type OpenNode, openNode } from "../../../src/worker-roomserver/node/node.ts";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { requireDevice } from "../../../src/worker-roomserver/node/require-device.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import type { Means } from "../../room-server/worker/means.ts";
import { readEvents } from "../../room-server/worker/reading.ts";
import { joinAnswer, type MadeRoom } from "../../room-server/worker/rooms.ts";
import type { Servers } from "../../room-server/worker/servers.ts";
import { VERSION } from "../../room-server/worker/signed-room.ts";

const cheap = { memoryKiB: 8, iterations: 1, parallelism: 1 };

/** A node over a database of its own; it speaks with others once it is told to. */
export function openWhole(dbName: string, egress: Egress): Promise<OpenNode> {
  return openNode({
    ...{ dbName, egress, now: Date.now, passwordCost: cheap },
    onStopped: (why) => console.error(`the benchmark's node has stopped: ${why}`),
  });
}

export async function discard(node: OpenNode, dbName: string): Promise<void> {
  await node.close();
  await deleteDatabase(dbName);
}

export async function register(node: OpenNode): Promise<DeviceRequester> {
  const body = { username: "alice", password: "correct horse battery", auth: { type: "m.login.dummy" } };
  const result = await node.users.register(crypto.randomUUID(), "user", body);
  if (!("access_token" in result) || result.access_token === undefined) throw new Error("not registered");
  return requireDevice((await node.users.authenticate(result.access_token)).requester);
}

/** Others' servers, and any other one with the key of the first: a node takes in what has been checked. */
export function andAny(servers: Servers): Servers {
  return {
    at: servers.at,
    keyOf: (name) => servers.keyOf(/^server\d+\.example$/.test(name) ? name : servers.at(0)),
  };
}

/** Has the user join, as the answer of a server in the room would have it. */
export async function enter(
  node: OpenNode,
  user: DeviceRequester,
  room: MadeRoom,
  { servers, ed25519 }: Means,
): Promise<void> {
  const answer = await joinAnswer(servers, room, user.userId);
  const [event] = await readEvents([answer.event], servers, ed25519);
  const verdict = await node.roomInput.takeInRoom({
    ...{ version: VERSION, event: event! },
    state: await readEvents(answer.state, servers, ed25519),
    authChain: await readEvents(answer.authChain, servers, ed25519),
  });
  if (verdict.outcome !== "accepted") throw new Error(`not joined: ${JSON.stringify(verdict)}`);
}
