import { type PowerLevels, powerLevels } from "../power-levels.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { AuthEvent, AuthFacts, AuthState } from "./auth-event.ts";

/** The room as an event finds it: what the rules of every event type ask. */
export type Room = {
  readonly rules: RoomVersionRules;
  readonly create: AuthEvent;
  readonly state: AuthState;
  readonly levels: PowerLevels;
  readonly facts: AuthFacts;
};

export function roomBefore(
  create: AuthEvent,
  rules: RoomVersionRules,
  state: AuthState,
  facts: AuthFacts,
): Room {
  const content = state("m.room.power_levels", "")?.pdu.content;
  return { rules, create, state, facts, levels: powerLevels(content, create.pdu, rules) };
}

/** A user's membership; `leave` for one who never had any. */
export function membershipOf(userId: string, room: Room): string {
  const membership = room.state("m.room.member", userId)?.pdu.content.membership;
  return typeof membership === "string" ? membership : "leave";
}

/**
 * The room's join rule. One that is not set is `invite`: the spec is silent, Synapse, Dendrite and ruma agree.
 * One that is not a string is none of those that let anybody in.
 */
export function joinRuleOf(room: Room): string | undefined {
  const rule = room.state("m.room.join_rules", "")?.pdu.content.join_rule;
  if (rule === undefined) return "invite";
  return typeof rule === "string" ? rule : undefined;
}
