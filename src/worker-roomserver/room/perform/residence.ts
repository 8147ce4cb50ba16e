import { domainOf } from "../../../matrix/domain.ts";
import type { RoomParts } from "../parts.ts";
import { restrictedJoin } from "../restricted-join.ts";
import type { MemberStep } from "./member-step.ts";

/** Whether a step is one that this server cannot take alone. Goes through the members of a room that is known here. */
export async function isForOthers(parts: RoomParts, step: MemberStep): Promise<boolean> {
  const { roomId, target } = step;
  switch (step.action) {
    case "invite":
      return domainOf(target) !== parts.author.serverName;
    case "join":
      return !(await isResident(parts, roomId)) || (await mustBeLetIn(parts, roomId, target));
    case "knock":
      return !(await isResident(parts, roomId));
    case "leave": {
      const outside = await parts.outOfBand.find(roomId, target);
      return outside?.membership === "invite" || outside?.membership === "knock";
    }
    default:
      return false;
  }
}

/** Whether this server knows how a room is: somebody from here is in it, or nobody at all. */
async function isResident(parts: RoomParts, roomId: string): Promise<boolean> {
  const head = await parts.heads.find(roomId);
  if (head === undefined) return false;
  const joined = await parts.memberships.joined(head.nid);
  for (const userId of joined) if (domainOf(userId) === parts.author.serverName) return true;
  return joined.size === 0;
}

/** Whether the room lets the user in for being in another, and nobody from here may vouch for that. */
async function mustBeLetIn(parts: RoomParts, roomId: string, userId: string): Promise<boolean> {
  const head = await parts.heads.get(roomId);
  const { nid, rules } = head;
  const room = { nid, rules, state: (type: string, key: string) => head.state(type, key) };
  const { outcome } = await restrictedJoin(parts, room, userId);
  if (outcome !== "ungrantable" && outcome !== "unknown") return false;
  for (const member of await parts.memberships.joined(nid)) {
    if (domainOf(member) !== parts.author.serverName) return true;
  }
  return false;
}
