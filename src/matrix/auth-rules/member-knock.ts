import type { MemberEvent } from "./member-event.ts";
import { joinRuleOf, membershipOf, type Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4.7: membership `knock`, from v7 on. */
export function authoriseKnock({ pdu, target }: MemberEvent, room: Room): Verdict {
  const { rules } = room;

  // 4.7.1, v7: the join rule is not knock (nor, from v10 on, knock_restricted).
  const joinRule = joinRuleOf(room);
  if (joinRule !== "knock" && !(rules.knockRestricted && joinRule === "knock_restricted")) {
    return reject("member.knock.join_rule", rules, "The room's join rule does not allow knocking.");
  }

  // 4.7.2, v7: somebody else knocks for the user.
  if (pdu.sender !== target) {
    return reject("member.knock.sender", rules, "Nobody can knock for another user.");
  }

  // 4.7.3, v7: the user is neither banned nor invited nor joined.
  const membership = membershipOf(target, room);
  if (membership !== "ban" && membership !== "invite" && membership !== "join") return allow;
  return reject("member.knock.otherwise", rules, `The user cannot knock, being at "${membership}".`);
}
