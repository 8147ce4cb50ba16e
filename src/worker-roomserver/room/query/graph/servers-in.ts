import { domainOf } from "../../../../matrix/domain.ts";
import { knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** The servers that have users joined to the room. */
export async function serversIn(parts: GraphParts, roomId: string): Promise<string[]> {
  const { nid } = await knownRoom(parts, roomId);
  const servers = new Set<string>();
  for (const userId of await parts.memberships.joined(nid)) {
    const server = domainOf(userId);
    if (server !== undefined) servers.add(server);
  }
  return [...servers];
}
