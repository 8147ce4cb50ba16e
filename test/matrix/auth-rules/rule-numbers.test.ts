import { describe, expect, test } from "vitest";
import { type RuleName, ruleNumber } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import { roomVersionRules } from "../../../src/matrix/room-versions.ts";

// Read off the pages of the room versions, https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules and so on.
const columns = ["1", "3", "6", "7", "8", "10", "11", "12"];
const pages: [name: RuleName, ...numbers: (string | undefined)[]][] = [
  ["create.creator", "1.4", "1.4", "1.4", "1.4", "1.4", "1.4", undefined, undefined],
  [
    "create.additional_creators",
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    "1.4",
  ],
  ["room_id", undefined, undefined, undefined, undefined, undefined, undefined, undefined, "2"],
  ["auth_events.selection", "2.2", "2.2", "2.2", "2.2", "2.2", "2.2", "2.2", "3.2"],
  ["federate", "3", "3", "3", "3", "3", "3", "3", "4"],
  ["aliases.domain", "4.2", "4.2", undefined, undefined, undefined, undefined, undefined, undefined],
  ["member.malformed", "5.1", "5.1", "4.1", "4.1", "4.1", "4.1", "4.1", "5.1"],
  [
    "member.authorised_via.signature",
    undefined,
    undefined,
    undefined,
    undefined,
    "4.2.1",
    "4.2.1",
    "4.2.1",
    "5.2.1",
  ],
  ["member.join.banned", "5.2.3", "5.2.3", "4.2.3", "4.2.3", "4.3.3", "4.3.3", "4.3.3", "5.3.3"],
  ["member.join.public", "5.2.5", "5.2.5", "4.2.5", "4.2.5", "4.3.6", "4.3.6", "4.3.6", "5.3.6"],
  ["member.join.otherwise", "5.2.6", "5.2.6", "4.2.6", "4.2.6", "4.3.7", "4.3.7", "4.3.7", "5.3.7"],
  [
    "member.invite.third_party.otherwise",
    "5.3.1.8",
    "5.3.1.8",
    "4.3.1.8",
    "4.3.1.8",
    "4.4.1.8",
    "4.4.1.8",
    "4.4.1.8",
    "5.4.1.8",
  ],
  ["member.invite.otherwise", "5.3.5", "5.3.5", "4.3.5", "4.3.5", "4.4.5", "4.4.5", "4.4.5", "5.4.5"],
  ["member.leave.otherwise", "5.4.5", "5.4.5", "4.4.5", "4.4.5", "4.5.5", "4.5.5", "4.5.5", "5.5.5"],
  ["member.ban.otherwise", "5.5.3", "5.5.3", "4.5.3", "4.5.3", "4.6.3", "4.6.3", "4.6.3", "5.6.3"],
  ["member.knock.otherwise", undefined, undefined, undefined, "4.6.4", "4.7.4", "4.7.4", "4.7.4", "5.7.4"],
  ["member.otherwise", "5.6", "5.6", "4.6", "4.7", "4.8", "4.8", "4.8", "5.8"],
  ["sender", "6", "6", "5", "5", "5", "5", "5", "6"],
  ["third_party_invite.level", "7.1", "7.1", "6.1", "6.1", "6.1", "6.1", "6.1", "7.1"],
  ["required_level", "8", "8", "7", "7", "7", "7", "7", "8"],
  ["state_key", "9", "9", "8", "8", "8", "8", "8", "9"],
  ["power_levels.integers", undefined, undefined, undefined, undefined, undefined, "9.1", "9.1", "10.1"],
  ["power_levels.users", "10.1", "10.1", "9.1", "9.1", "9.1", "9.3", "9.3", "10.3"],
  [
    "power_levels.creators",
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    "10.4",
  ],
  ["power_levels.levels.new", "10.3.2", "10.3.2", "9.3.2", "9.3.2", "9.3.2", "9.5.2", "9.5.2", "10.6.2"],
  [
    "power_levels.users_new.value",
    "10.7.1",
    "10.7.1",
    "9.7.1",
    "9.7.1",
    "9.7.1",
    "9.9.1",
    "9.9.1",
    "10.10.1",
  ],
  [
    "redaction.otherwise",
    "11.3",
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ],
];

describe.each(columns.map((version, column) => ({ version, column })))("room version $version", (page) => {
  const rows = pages
    .map(([name, ...numbers]) => ({ name, number: numbers[page.column] }))
    .filter((row) => row.number !== undefined);
  test.each(rows)("$name is rule $number", ({ name, number }) => {
    expect(ruleNumber(name, roomVersionRules(page.version)!)).toBe(number);
  });
});
