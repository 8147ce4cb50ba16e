import type { RoomVersionRules } from "../room-versions.ts";
import { type RuleName, ruleNumber } from "./rule-numbers.ts";

/**
 * What the auth rules say of an event.
 * `rule` is the number of the rule on the page of the room version ("4.3.5.2"), `reason` a sentence for people.
 */
export type Verdict =
  | { readonly outcome: "allow" }
  | { readonly outcome: "reject"; readonly rule: string; readonly reason: string };

export const allow: Verdict = Object.freeze({ outcome: "allow" });

export function reject(name: RuleName, rules: RoomVersionRules, reason: string): Verdict {
  return { outcome: "reject", rule: ruleNumber(name, rules), reason };
}
