import { isJsonObject, type JsonValue } from "../json.ts";
import type { MemberEvent } from "./member-event.ts";
import { membershipOf, type Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4.4: membership `invite`. */
export function authoriseInvite(event: MemberEvent, room: Room): Verdict {
  const { rules, levels } = room;
  const { pdu, target } = event;

  // 4.4.1, v1: it comes of a third-party invite.
  const { third_party_invite: thirdPartyInvite } = pdu.content;
  if (thirdPartyInvite !== undefined) return authoriseThirdPartyInvite(event, thirdPartyInvite, room);

  // 4.4.2, v1: the sender is not in the room.
  if (membershipOf(pdu.sender, room) !== "join") {
    return reject("member.invite.sender", rules, "The sender is not in the room.");
  }

  // 4.4.3, v1: the user is in the room already, or banned.
  const membership = membershipOf(target, room);
  if (membership === "join" || membership === "ban") {
    const where = membership === "join" ? "already in" : "banned from";
    return reject("member.invite.target", rules, `The invited user is ${where} the room.`);
  }

  // 4.4.4, v1: the sender has the invite level.
  if (levels.userLevel(pdu.sender) >= levels.level("invite")) return allow;
  return reject("member.invite.otherwise", rules, "The sender may not invite users.");
}

/** Rule 4.4.1: the invited third party turned out to be this user, which the identity server has signed. */
function authoriseThirdPartyInvite({ pdu, target }: MemberEvent, invite: JsonValue, room: Room): Verdict {
  const { rules, state, facts } = room;

  // 4.4.1.1, v1: the user is banned.
  if (membershipOf(target, room) === "ban") {
    return reject("member.invite.third_party.banned", rules, "The invited user is banned from the room.");
  }

  // 4.4.1.2, v1: nothing is signed.
  const signed = isJsonObject(invite) ? invite.signed : undefined;
  if (!isJsonObject(signed)) {
    return reject("member.invite.third_party.signed", rules, "The third-party invite is not signed.");
  }

  // 4.4.1.3, v1: mxid or token is missing.
  const { mxid, token } = signed;
  if (typeof mxid !== "string" || typeof token !== "string") {
    return reject("member.invite.third_party.mxid_token", rules, "What is signed lacks mxid or token.");
  }

  // 4.4.1.4, v1: another user was signed for.
  if (mxid !== target) {
    return reject("member.invite.third_party.mxid", rules, "The signed mxid is not the invited user.");
  }

  // 4.4.1.5, v1: the room knows no such third-party invite.
  const origin = state("m.room.third_party_invite", token);
  if (origin === undefined) {
    return reject(
      "member.invite.third_party.event",
      rules,
      "The room has no third-party invite of this token.",
    );
  }

  // 4.4.1.6, v1: another user had sent it.
  if (pdu.sender !== origin.pdu.sender) {
    const reason = "The sender is not the one who sent the third-party invite.";
    return reject("member.invite.third_party.sender", rules, reason);
  }

  // 4.4.1.7, v1: one of its public keys has signed.
  if (facts.signedThirdPartyInvites?.has(origin.eventId)) return allow;
  const reason = "No key of the third-party invite has signed it.";
  return reject("member.invite.third_party.otherwise", rules, reason);
}
