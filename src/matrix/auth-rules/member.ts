import { isUserId } from "../identifiers.ts";
import type { Pdu } from "../pdu.ts";
import { authoriseBan } from "./member-ban.ts";
import type { MemberEvent } from "./member-event.ts";
import { authoriseInvite } from "./member-invite.ts";
import { authoriseJoin } from "./member-join.ts";
import { authoriseKnock } from "./member-knock.ts";
import { authoriseLeave } from "./member-leave.ts";
import type { Room } from "./room.ts";
import { reject, type Verdict } from "./verdict.ts";

/** Rule 4: `m.room.member`. */
export function authoriseMember(pdu: Pdu, room: Room): Verdict {
  const { rules, facts } = room;
  const { membership, join_authorised_via_users_server: authorisedVia } = pdu.content;

  // 4.1, v1: there is no state_key or no membership. A state_key that is no user id is of nobody, and every
  // server rejects it, though the pages do not say so.
  if (pdu.state_key === undefined || !isUserId(pdu.state_key)) {
    return reject("member.malformed", rules, "The state_key of a membership event is the id of a user.");
  }
  if (typeof membership !== "string") {
    return reject("member.malformed", rules, "The membership event says no membership.");
  }

  // 4.2.1, v8: the server of the user who authorised the join has not signed.
  if (rules.restrictedJoins && authorisedVia !== undefined && facts.authorisingServerSigned !== true) {
    const reason = "The server of the user in join_authorised_via_users_server has not signed the event.";
    return reject("member.authorised_via.signature", rules, reason);
  }

  const event: MemberEvent = { pdu, target: pdu.state_key };
  switch (membership) {
    case "join":
      return authoriseJoin(event, room);
    case "invite":
      return authoriseInvite(event, room);
    case "leave":
      return authoriseLeave(event, room);
    case "ban":
      return authoriseBan(event, room);
    case "knock":
      if (rules.knocking) return authoriseKnock(event, room);
  }
  // 4.8, v1: the membership is unknown.
  return reject("member.otherwise", rules, "The membership is not one that this room version knows.");
}
