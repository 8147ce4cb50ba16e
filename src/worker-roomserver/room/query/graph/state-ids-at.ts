import type { EventNid } from "../../../storage/schema.ts";
import type { StateIds, StateNids } from "./api.ts";
import { stateAuthChain } from "./auth-chain.ts";
import { eventInState, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** Events read at once for their ids: a large state's would fill the memory. */
const READ_TOGETHER = 1_000;

/** The ids of the state before an event, and of all that authorises it. */
export async function stateIdsAt(parts: GraphParts, roomId: string, eventId: string): Promise<StateIds> {
  const { pdus, authChain } = await stateBefore(parts, roomId, eventId);
  return { pduIds: await idsOf(parts, pdus), authChainIds: await idsOf(parts, authChain) };
}

/** The same as numbers of events. */
export async function stateBefore(parts: GraphParts, roomId: string, eventId: string): Promise<StateNids> {
  const [room, event] = await Promise.all([knownRoom(parts, roomId), eventInState(parts, roomId, eventId)]);
  const pdus = (await parts.snapshots.chain(event.stateBefore)).entries();
  return { pdus, authChain: await stateAuthChain(parts, room, pdus) };
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
