import { domainOf } from "../domain.ts";
import type { Pdu } from "../pdu.ts";
import type { Room } from "./room.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 11 of v1 and v2: `m.room.redaction`. */
export function authoriseRedaction(eventId: string, pdu: Pdu, room: Room): Verdict {
  // 11.1, v1: the sender has the redact level.
  if (room.levels.userLevel(pdu.sender) >= room.levels.level("redact")) return allow;
  // 11.2, v1: the redaction and what it redacts come from one server, going by their ids.
  if (typeof pdu.redacts === "string" && domainOf(pdu.redacts) === domainOf(eventId)) return allow;
  return reject("redaction.otherwise", room.rules, "The sender may redact events of the own server only.");
}
