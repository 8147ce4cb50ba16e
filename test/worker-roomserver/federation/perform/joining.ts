import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { OpenNode } from "../../../../src/worker-roomserver/node/node.ts";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import type { MembershipAction } from "../../../../src/worker-roomserver/room/api.ts";
import { registerAt } from "../../support/node.ts";
import { json } from "../../support/room.ts";
import { type FederatedNode, federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { Peer } from "../support/peer.ts";

/** A node with a user, and a peer on its network. */
export type Meeting = { network: TestNetwork; home: FederatedNode; alice: DeviceRequester; peer: Peer };

export async function meeting(): Promise<Meeting> {
  const network = new TestNetwork();
  const home = await federatedNode(network);
  return { network, home, alice: await registerAt(home.node, "alice"), peer: await Peer.open(network) };
}

/** What a user does to a membership, their own by default. */
export function act(
  node: OpenNode,
  who: DeviceRequester,
  action: MembershipAction,
  roomId: string,
  more: { servers?: readonly string[]; target?: string; reason?: string; request?: string } = {},
): Promise<{ room_id: string }> {
  const { request = crypto.randomUUID(), target = who.userId, ...rest } = more;
  return node.room.changeMembership(request, who, { roomId, action, target, ...rest });
}

/** What an error says to a client, with its status; fails where there is none. */
export async function refusal(
  doing: Promise<unknown>,
): Promise<{ errcode: string; status: number; error: string }> {
  try {
    await doing;
  } catch (error) {
    const { errcode, status, message } = error as { errcode: string; status: number; message: string };
    return { errcode, status, error: message };
  }
  throw new Error("it was not refused");
}

export async function joinedMembers(node: OpenNode, who: DeviceRequester, roomId: string): Promise<string[]> {
  return Object.keys(json(await node.room.joinedMembers(who, roomId)).joined as unknown as JsonObject).sort();
}

export const joinedRooms = async (node: OpenNode, who: DeviceRequester) =>
  (await node.room.joinedRooms(who)).joined_rooms;

/** The requests of this kind that were made. */
export const asked = ({ network }: Meeting, path: string): string[] =>
  network.carried.filter(({ uri }) => uri.includes(`/${path}/`)).map(({ to }) => to);
