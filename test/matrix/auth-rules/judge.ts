import type { AuthEvent, AuthFacts } from "../../../src/matrix/auth-rules/auth-event.ts";
import { authorise } from "../../../src/matrix/auth-rules/authorise.ts";
import { type RuleName, ruleNumber } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import type { Verdict } from "../../../src/matrix/auth-rules/verdict.ts";
import { type RoomVersionRules, roomVersions } from "../../../src/matrix/room-versions.ts";
import type { EventFields, TestRoom } from "../room-builder.ts";

/** The outcome of an event in a room as the tables have it: "allow", or the number of the rule that rejects. */
export function judge(room: TestRoom, event: AuthEvent | EventFields, facts?: AuthFacts): string {
  const candidate = "eventId" in event ? event : room.event(event);
  return brief(authorise(candidate, room.rules, room.state, facts));
}

export const brief = (verdict: Verdict) => (verdict.outcome === "allow" ? "allow" : verdict.rule);

/** What a table expects of a room version: the rule goes by its name, as its number differs between them. */
export const expected = (want: "allow" | RuleName, rules: RoomVersionRules) =>
  want === "allow" ? "allow" : ruleNumber(want, rules);

/** The versions from one to another: `versions("7")`, `versions("1", "5")`. */
export function versions(first: string, last = "12"): string[] {
  return roomVersions.slice(roomVersions.indexOf(first), roomVersions.indexOf(last) + 1);
}
