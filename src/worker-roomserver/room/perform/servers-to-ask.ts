import { domainOf } from "../../../matrix/domain.ts";
import type { RoomParts } from "../parts.ts";
import type { MemberStep } from "./membership.ts";

/**
 * The servers that may be in a room, the likeliest first: those that the client or an alias names, that of who has invited
 * the user, that which the room's id names, and those known to have most members. Goes through the room's members.
 */
export async function serversToAsk(
  parts: RoomParts,
  { roomId, target, servers }: MemberStep,
): Promise<string[]> {
  const outside = await parts.outOfBand.find(roomId, target);
  const head = await parts.heads.find(roomId);
  const inside = await head?.state("m.room.member", target);
  const likely = [
    ...servers,
    ...[outside?.event.pdu.sender, inside?.pdu.sender, roomId].map((id) => domainOf(id ?? "")),
    ...(head === undefined ? [] : largest(await parts.memberships.joined(head.nid))),
  ].filter((server) => server !== undefined && server !== parts.author.serverName);
  return [...new Set(likely as string[])];
}

function largest(members: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  for (const userId of members) {
    const server = domainOf(userId) ?? "";
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  return [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!);
}
