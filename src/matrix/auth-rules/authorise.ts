import { domainOf } from "../domain.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import { authoriseAliases } from "./aliases.ts";
import type { AuthEvent, AuthFacts, AuthState } from "./auth-event.ts";
import { authoriseCreate } from "./create.ts";
import { authoriseMember } from "./member.ts";
import { authorisePowerLevels } from "./power-levels.ts";
import { authoriseRedaction } from "./redaction.ts";
import { membershipOf, type Room, roomBefore } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/**
 * Checks an event against a room's state by the authorisation rules of the room's version. The rules on the
 * list `auth_events` itself are apart, in `checkAuthEventsSelection`: they do not depend on the state.
 * The numbers in the comments are those of v11; `Verdict.rule` has the number in the room's own version.
 * @param event - of a form that `parsePdu` accepts; its content may be anything
 * @param state - the state to check against: that of the event's auth events, before it, or of the room now
 * @param facts - what asynchronous checks have found; what is missing counts as not found
 * @see https://spec.matrix.org/v1.19/server-server-api/#authorisation-rules
 */
export function authorise(
  event: AuthEvent,
  rules: RoomVersionRules,
  state: AuthState,
  facts: AuthFacts = {},
): Verdict {
  const { pdu } = event;

  // 1, v1: type is m.room.create.
  if (pdu.type === "m.room.create") return authoriseCreate(pdu, rules);

  const create = state("m.room.create", "");
  if (rules.roomIdIsCreateHash) {
    // 2, v12: the room_id is not the id of an accepted create event.
    if (create === undefined || create.eventId.slice(1) !== pdu.room_id?.slice(1)) {
      return reject("room_id", rules, "The room id is not that of the room's create event.");
    }
  } else if (create === undefined) {
    // 2.4, v1 to v11: there is no create event among those that authorise this one.
    return reject("auth_events.create", rules, "The room has no create event.");
  }

  // 3, v1: the room is not federated, and the sender is on another server than the sender of the create event.
  if (create.pdu.content["m.federate"] === false && domainOf(pdu.sender) !== domainOf(create.pdu.sender)) {
    return reject("federate", rules, "The room is closed to users of other servers.");
  }

  // 4, v1 to v5: type is m.room.aliases.
  if (rules.specialCaseAliasesAuth && pdu.type === "m.room.aliases") return authoriseAliases(pdu, rules);

  const room = roomBefore(create, rules, state, facts);
  // 4, v1: type is m.room.member.
  if (pdu.type === "m.room.member") return authoriseMember(pdu, room);
  return authoriseByMember(event, room);
}

/** The rules from 5 on: only members of the room get this far. */
function authoriseByMember({ eventId, pdu }: AuthEvent, room: Room): Verdict {
  const { rules, levels } = room;
  const senderLevel = levels.userLevel(pdu.sender);

  // 5, v1: the sender is not in the room.
  if (membershipOf(pdu.sender, room) !== "join") {
    return reject("sender", rules, "The sender is not in the room.");
  }

  // 6, v1: a third-party invite needs the invite level, and nothing else.
  if (pdu.type === "m.room.third_party_invite") {
    if (senderLevel >= levels.level("invite")) return allow;
    return reject("third_party_invite.level", rules, "The sender may not invite users.");
  }

  // 7, v1: the event's type requires a higher level than the sender has.
  const required = levels.requiredFor(pdu.type, pdu.state_key !== undefined);
  if (required > senderLevel) {
    return reject(
      "required_level",
      rules,
      `To send ${pdu.type} takes level ${required}; the sender has ${senderLevel}.`,
    );
  }

  // 8, v1: a state key that is a user id belongs to that user.
  if (pdu.state_key?.startsWith("@") && pdu.state_key !== pdu.sender) {
    return reject("state_key", rules, "State under a user's id can be set by that user only.");
  }

  // 9, v1: type is m.room.power_levels.
  if (pdu.type === "m.room.power_levels") return authorisePowerLevels(pdu, room);

  // 11, v1 and v2: type is m.room.redaction.
  if (rules.redactionAuth && pdu.type === "m.room.redaction") return authoriseRedaction(eventId, pdu, room);

  // 10, v1: anything else is allowed.
  return allow;
}
