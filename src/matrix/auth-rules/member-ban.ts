import type { MemberEvent } from "./member-event.ts";
import { membershipOf, type Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4.6: membership `ban`. */
export function authoriseBan({ pdu, target }: MemberEvent, room: Room): Verdict {
  const { rules, levels } = room;

  // 4.6.1, v1: the sender is not in the room.
  if (membershipOf(pdu.sender, room) !== "join") {
    return reject("member.ban.sender", rules, "The sender is not in the room.");
  }

  // 4.6.2, v1: the sender has the ban level and stands above the user.
  const senderLevel = levels.userLevel(pdu.sender);
  if (senderLevel >= levels.level("ban") && levels.userLevel(target) < senderLevel) return allow;
  return reject("member.ban.otherwise", rules, "The sender may not ban this user.");
}
