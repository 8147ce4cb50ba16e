import { domainOf } from "./domain.ts";
import type { Pdu } from "./pdu.ts";
import type { PowerLevels } from "./power-levels.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/**
 * The id of the event that an `m.room.redaction` redacts, from where the room version has it; unchecked text.
 * @see https://spec.matrix.org/v1.19/rooms/v11/#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property
 */
export function redactionTarget(redaction: Pdu, rules: RoomVersionRules): string | undefined {
  const target = rules.redactsInContent ? redaction.content.redacts : redaction.redacts;
  return typeof target === "string" ? target : undefined;
}

/**
 * Whether an accepted redaction takes effect. From v3 on the auth rules let nearly every redaction pass, and
 * this is asked when both events are there; up to v2 the auth rules have already decided.
 * @param target - the event that `redactionTarget` names, of the same room: that is the caller's to check
 * @param levels - the room's, as the redaction found it
 * @see https://spec.matrix.org/v1.19/rooms/v11/#handling-redactions
 */
export function isRedactionEffective(
  redaction: Pdu,
  target: Pdu,
  levels: PowerLevels,
  rules: RoomVersionRules,
): boolean {
  if (rules.redactionAuth || levels.userLevel(redaction.sender) >= levels.level("redact")) return true;
  return domainOf(redaction.sender) === domainOf(target.sender);
}
