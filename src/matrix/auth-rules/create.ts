import { domainOf } from "../domain.ts";
import { prevEventIds } from "../event-format.ts";
import { isUserId } from "../identifiers.ts";
import type { Pdu } from "../pdu.ts";
import { type RoomVersionRules, roomVersionRules } from "../room-versions.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 1: `m.room.create`. It depends on no state. */
export function authoriseCreate(pdu: Pdu, rules: RoomVersionRules): Verdict {
  // 1.1, v1: it has prev_events.
  if (prevEventIds(pdu).length > 0) {
    return reject(
      "create.prev_events",
      rules,
      "A create event is the first of its room: it has no prev_events.",
    );
  }

  if (rules.roomIdIsCreateHash) {
    // 1.2, v12: it has a room_id, though its own id makes the room's.
    if (pdu.room_id !== undefined) {
      return reject("create.room_id", rules, "The create event of this room version carries no room_id.");
    }
  } else if (pdu.room_id === undefined || domainOf(pdu.room_id) !== domainOf(pdu.sender)) {
    // 1.2, v1 to v11: the domain of the room_id is not the sender's.
    return reject("create.room_id", rules, "The room id belongs to another server than the sender.");
  }

  // 1.3, v1: content.room_version is there and not a recognised version.
  const { room_version: roomVersion } = pdu.content;
  if (
    roomVersion !== undefined &&
    (typeof roomVersion !== "string" || roomVersionRules(roomVersion) === undefined)
  ) {
    return reject("create.room_version", rules, "The room version is not one that is known here.");
  }

  // 1.4, v1 to v10: content has no creator.
  if (!rules.creatorIsSender && pdu.content.creator === undefined) {
    return reject("create.creator", rules, "The create event does not name the creator.");
  }

  // 1.4, v12: additional_creators is there and not an array of user ids.
  const { additional_creators: additional } = pdu.content;
  if (rules.privilegedCreators && additional !== undefined) {
    if (!Array.isArray(additional) || !additional.every((id) => typeof id === "string" && isUserId(id))) {
      return reject("create.additional_creators", rules, "additional_creators must be a list of user ids.");
    }
  }

  return allow;
}
