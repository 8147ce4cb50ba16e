import { domainOf } from "../domain.ts";
import type { Pdu } from "../pdu.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 4 of v1 to v5: `m.room.aliases`, which a server may set for itself without being in the room. */
export function authoriseAliases(pdu: Pdu, rules: RoomVersionRules): Verdict {
  // 4.1, v1: there is no state_key.
  if (pdu.state_key === undefined) {
    return reject("aliases.state_key", rules, "Aliases are state: a state_key is missing.");
  }
  // 4.2, v1: the state_key is not the sender's domain.
  if (pdu.state_key !== domainOf(pdu.sender)) {
    return reject("aliases.domain", rules, "A server sets its own aliases only.");
  }
  return allow;
}
