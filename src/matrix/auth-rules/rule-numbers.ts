import type { RoomVersionRules } from "../room-versions.ts";

type Applies = (rules: RoomVersionRules) => boolean;
const always: Applies = () => true;
const aliases: Applies = (rules) => rules.specialCaseAliasesAuth;
const redaction: Applies = (rules) => rules.redactionAuth;
const knocking: Applies = (rules) => rules.knocking;
const restricted: Applies = (rules) => rules.restrictedJoins;
const integers: Applies = (rules) => rules.integerPowerLevels;
const createInAuthEvents: Applies = (rules) => !rules.roomIdIsCreateHash;
const roomIdIsHash: Applies = (rules) => rules.roomIdIsCreateHash;
const privileged: Applies = (rules) => rules.privilegedCreators;

/**
 * The auth rules in the order in which a room version's page lists them, each with whether a version has it.
 * A rule's number is its place among those that its version has, so that the numbers need not be kept by hand.
 */
const table = {
  create: always,
  "create.prev_events": always,
  "create.room_id": always,
  "create.room_version": always,
  "create.creator": (rules) => !rules.creatorIsSender,
  "create.additional_creators": privileged,
  room_id: roomIdIsHash,
  auth_events: always,
  "auth_events.duplicate": always,
  "auth_events.selection": always,
  "auth_events.rejected": always,
  "auth_events.create": createInAuthEvents,
  "auth_events.room_id": always,
  federate: always,
  aliases,
  "aliases.state_key": aliases,
  "aliases.domain": aliases,
  member: always,
  "member.malformed": always,
  "member.authorised_via": restricted,
  "member.authorised_via.signature": restricted,
  "member.join": always,
  "member.join.creator": always,
  "member.join.sender": always,
  "member.join.banned": always,
  "member.join.invite": always,
  "member.join.restricted": restricted,
  "member.join.restricted.member": restricted,
  "member.join.restricted.authorised_via": restricted,
  "member.join.public": always,
  "member.join.otherwise": always,
  "member.invite": always,
  "member.invite.third_party": always,
  "member.invite.third_party.banned": always,
  "member.invite.third_party.signed": always,
  "member.invite.third_party.mxid_token": always,
  "member.invite.third_party.mxid": always,
  "member.invite.third_party.event": always,
  "member.invite.third_party.sender": always,
  "member.invite.third_party.signature": always,
  "member.invite.third_party.otherwise": always,
  "member.invite.sender": always,
  "member.invite.target": always,
  "member.invite.level": always,
  "member.invite.otherwise": always,
  "member.leave": always,
  "member.leave.own": always,
  "member.leave.sender": always,
  "member.leave.unban": always,
  "member.leave.kick": always,
  "member.leave.otherwise": always,
  "member.ban": always,
  "member.ban.sender": always,
  "member.ban.level": always,
  "member.ban.otherwise": always,
  "member.knock": knocking,
  "member.knock.join_rule": knocking,
  "member.knock.sender": knocking,
  "member.knock.membership": knocking,
  "member.knock.otherwise": knocking,
  "member.otherwise": always,
  sender: always,
  third_party_invite: always,
  "third_party_invite.level": always,
  required_level: always,
  state_key: always,
  power_levels: always,
  "power_levels.integers": integers,
  "power_levels.integer_maps": integers,
  "power_levels.users": always,
  "power_levels.creators": privileged,
  "power_levels.first": always,
  "power_levels.levels": always,
  "power_levels.levels.current": always,
  "power_levels.levels.new": always,
  "power_levels.events_current": always,
  "power_levels.events_current.value": always,
  "power_levels.events_new": always,
  "power_levels.events_new.value": always,
  "power_levels.users_current": always,
  "power_levels.users_current.value": always,
  "power_levels.users_new": always,
  "power_levels.users_new.value": always,
  redaction,
  "redaction.level": redaction,
  "redaction.domain": redaction,
  "redaction.otherwise": redaction,
} satisfies Record<string, Applies>;

export type RuleName = keyof typeof table;
const rows: readonly (readonly [name: string, applies: Applies])[] = Object.entries(table);

/** The number a rule bears on the page of its room version: `ruleNumber("sender", v11)` is `"5"`. */
export function ruleNumber(name: RuleName, rules: RoomVersionRules): string {
  const path = name.split(".");
  return path.map((_, depth) => place(path.slice(0, depth + 1), rules)).join(".");
}

/** How many rules of the same parent there are, up to and with this one. */
function place(path: readonly string[], rules: RoomVersionRules): number {
  const name = path.join(".");
  const parent = path.slice(0, -1).join(".");
  let number = 0;
  for (const [other, applies] of rows) {
    if (other.slice(0, Math.max(0, other.lastIndexOf("."))) === parent && applies(rules)) number += 1;
    if (other === name) break;
  }
  return number;
}
