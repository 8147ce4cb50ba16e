import type { EventNid } from "../../../storage/schema.ts";
import type { StateIds } from "./api.ts";
import { stateAuthChain } from "./auth-chain.ts";
import { eventInState, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** Events read at once for their ids: a large state's would fill the memory. */
const READ_TOGETHER = 1_000;

/** The ids of the state before an event, and of all that authorises it. */
export async function stateIdsAt(parts: GraphParts, roomId: string, eventId: string): Promise<StateIds> {
  const [room, event] = await Promise.all([knownRoom(parts, roomId), eventInState(parts, roomId, eventId)]);
  const state = (await parts.snapshots.chain(event.stateBefore)).entries();
  const chain = await stateAuthChain(parts, room, state);
  return { pduIds: await idsOf(parts, state), authChainIds: await idsOf(parts, chain) };
}

async function idsOf({ events }: GraphParts, nids: readonly EventNid[]): Promise<string[]> {
  // Those that came in together lie together.
  const sorted = nids.toSorted((a, b) => a - b);
  const ids: string[] = [];
  for (let at = 0; at < sorted.length; at += READ_TOGETHER) {
    for (const { eventId } of await events.get(sorted.slice(at, at + READ_TOGETHER))) ids.push(eventId);
  }
  return ids;
}
