import { domainOf } from "../../../matrix/domain.ts";
import { readAbout } from "../out-of-band/about-room.ts";
import type { RoomParts } from "../parts.ts";
import type { MemberStep } from "./member-step.ts";

/**
 * The servers that may be in a room, the likeliest first: those that the client or an alias names, that of who has invited
 * the user, that which the room's id names, those whose users have made the room, and those known to have most members. Goes through the room's members.
 */
export async function serversToAsk(
  parts: RoomParts,
  { roomId, target, servers }: MemberStep,
): Promise<string[]> {
  const [outside, about] = await Promise.all([
    parts.outOfBand.find(roomId, target),
    aboutInvite(parts, roomId, target),
  ]);
  const head = await parts.heads.find(roomId);
  const inside = await head?.state("m.room.member", target);
  const likely = [
    ...servers,
    ...[outside?.event.pdu.sender, inside?.pdu.sender, roomId, ...about].map((id) => domainOf(id ?? "")),
    ...(head === undefined ? [] : largest(await parts.memberships.joined(head.nid))),
  ].filter((server) => server !== undefined && server !== parts.author.serverName);
  return [...new Set(likely as string[])];
}

/** Who made what has come with an invite, or with the answer to a knock: they are in the room, or were. */
async function aboutInvite({ storage }: RoomParts, roomId: string, userId: string): Promise<string[]> {
  const room = await storage.names.find(roomId);
  const about = room === undefined ? undefined : await readAbout(storage, userId, room);
  return (about?.state ?? []).map(({ sender }) => (typeof sender === "string" ? sender : ""));
}

function largest(members: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  for (const userId of members) {
    const server = domainOf(userId) ?? "";
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  return [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!);
}
