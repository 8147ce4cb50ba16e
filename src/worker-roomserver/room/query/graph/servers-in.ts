import { domainOf } from "../../../../matrix/domain.ts";
import { knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** The servers that have users joined to the room. */
export async function serversIn(parts: GraphParts, roomId: string): Promise<string[]> {
  const { nid } = await knownRoom(parts, roomId);
  return parts.memberships.servers(nid);
}

/** Whether a user of the server is joined to the room. */
export async function isServerIn(parts: GraphParts, roomId: string, serverName: string): Promise<boolean> {
  const nid = await parts.storage.names.find(roomId);
  if (nid === undefined) return false;
  for (const userId of await parts.memberships.joined(nid)) if (domainOf(userId) === serverName) return true;
  return false;
}
