import type { MemberEvent } from "./member-event.ts";
import { membershipOf, type Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4.5: membership `leave`: leaving, rejecting an invite, taking back a knock, kicking, unbanning. */
export function authoriseLeave({ pdu, target }: MemberEvent, room: Room): Verdict {
  const { rules, levels } = room;
  const membership = membershipOf(target, room);

  // 4.5.1, v1: one's own membership ends if one is invited or joined (from v7 on also: knocking).
  if (pdu.sender === target) {
    if (membership === "invite" || membership === "join") return allow;
    if (rules.knocking && membership === "knock") return allow;
    return reject("member.leave.own", rules, "The user has nothing to leave.");
  }

  // 4.5.2, v1: the sender is not in the room.
  if (membershipOf(pdu.sender, room) !== "join") {
    return reject("member.leave.sender", rules, "The sender is not in the room.");
  }

  // 4.5.3, v1: the user is banned, and the sender lacks the ban level.
  const senderLevel = levels.userLevel(pdu.sender);
  if (membership === "ban" && senderLevel < levels.level("ban")) {
    return reject("member.leave.unban", rules, "The sender may not unban users.");
  }

  // 4.5.4, v1: the sender has the kick level and stands above the user.
  if (senderLevel >= levels.level("kick") && levels.userLevel(target) < senderLevel) return allow;
  return reject("member.leave.otherwise", rules, "The sender may not remove this user.");
}
