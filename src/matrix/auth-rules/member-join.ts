import { prevEventIds } from "../event-format.ts";
import type { Pdu } from "../pdu.ts";
import { isRestricted } from "../restricted-joins.ts";
import { roomCreators } from "../room-creators.ts";
import type { MemberEvent } from "./member-event.ts";
import { joinRuleOf, membershipOf, type Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4.3: membership `join`. */
export function authoriseJoin({ pdu, target }: MemberEvent, room: Room): Verdict {
  const { rules, create } = room;

  // 4.3.1, v1: the creator's join, right after the create event. From v11 on it is the create event's sender;
  // additional creators of v12 need an invite like anybody else.
  const [onlyPrevious, ...others] = prevEventIds(pdu);
  if (onlyPrevious === create.eventId && others.length === 0) {
    if (target === roomCreators(create.pdu, rules)[0]) return allow;
  }

  // 4.3.2, v1: somebody else joins the user.
  if (pdu.sender !== target) {
    return reject("member.join.sender", rules, "Nobody can join a room for another user.");
  }

  // 4.3.3, v1: the user is banned.
  const membership = membershipOf(target, room);
  if (membership === "ban") {
    return reject("member.join.banned", rules, "The user is banned from the room.");
  }

  const isInside = membership === "invite" || membership === "join";
  const joinRule = joinRuleOf(room);

  // 4.3.4, v1: the join rule is invite (from v7 on also knock), and the user is invited or joined.
  if ((joinRule === "invite" || (rules.knocking && joinRule === "knock")) && isInside) return allow;

  // 4.3.5, v8: the join rule is restricted (from v10 on also knock_restricted).
  if (isRestricted(joinRule, rules)) {
    // 4.3.5.1, v8: the user is invited or joined.
    return isInside ? allow : authoriseRestrictedJoin(pdu, room);
  }

  // 4.3.6, v1: the join rule is public.
  if (joinRule === "public") return allow;

  return reject("member.join.otherwise", rules, "The user is not invited to the room.");
}

/** 4.3.5.2, v8: whoever vouches for the join must be in the room and allowed to invite. */
function authoriseRestrictedJoin(pdu: Pdu, room: Room): Verdict {
  const authoriser = pdu.content.join_authorised_via_users_server;
  if (
    typeof authoriser === "string" &&
    membershipOf(authoriser, room) === "join" &&
    room.levels.userLevel(authoriser) >= room.levels.level("invite")
  ) {
    return allow;
  }
  const reason = "The join is not authorised by a member of the room who may invite.";
  return reject("member.join.restricted.authorised_via", room.rules, reason);
}
