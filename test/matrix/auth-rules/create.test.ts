import { expect, test } from "vitest";
import { authorise } from "../../../src/matrix/auth-rules/authorise.ts";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { testRoom } from "../room-builder.ts";
import { brief, expected, versions } from "./judge.ts";

type Row = { versions: string[]; what: string; change: JsonObject; want: "allow" | RuleName };

const reference = (version: string) => {
  const { create, rules } = testRoom({ version });
  return rules.eventIdFormat === "domain" ? [create.eventId, {}] : create.eventId;
};
const creator = "@creator:a.example";

const rows: Row[] = [
  { versions: versions("1"), what: "as it should be", change: {}, want: "allow" },
  {
    versions: versions("1", "11"),
    what: "room_id of the sender's domain",
    change: { room_id: "!x:a.example" },
    want: "allow",
  },
  {
    versions: versions("1", "11"),
    what: "room_id of another domain",
    change: { room_id: "!x:b.example" },
    want: "create.room_id",
  },
  { versions: ["12"], what: "a room_id", change: { room_id: "!x:a.example" }, want: "create.room_id" },
  { versions: versions("1", "10"), what: "no room_version", change: { content: { creator } }, want: "allow" },
  { versions: ["11", "12"], what: "no room_version", change: { content: {} }, want: "allow" },
  {
    versions: versions("1"),
    what: "an unknown version",
    change: { content: { creator, room_version: "0" } },
    want: "create.room_version",
  },
  {
    versions: versions("1"),
    what: "a version that is a number",
    change: { content: { creator, room_version: 1 } },
    want: "create.room_version",
  },
  { versions: versions("1", "10"), what: "no creator", change: { content: {} }, want: "create.creator" },
  {
    versions: ["12"],
    what: "additional creators",
    change: { content: { additional_creators: ["@b:b.example"] } },
    want: "allow",
  },
  {
    versions: ["12"],
    what: "an additional creator that is no user id",
    change: { content: { additional_creators: ["@b:b.example", "b"] } },
    want: "create.additional_creators",
  },
  {
    versions: ["12"],
    what: "additional creators that are no list",
    change: { content: { additional_creators: "@b:b.example" } },
    want: "create.additional_creators",
  },
  {
    versions: ["11"],
    what: "additional creators before they meant anything",
    change: { content: { additional_creators: 5 } },
    want: "allow",
  },
];

const cases = rows.flatMap((row) => row.versions.map((version) => ({ ...row, version })));
test.each(cases)("v$version: a create event with $what: $want", ({ version, change, want }) => {
  const { create, rules } = testRoom({ version });
  const pdu = { ...create.pdu, ...change };
  expect(brief(authorise({ eventId: create.eventId, pdu }, rules, () => undefined))).toBe(
    expected(want, rules),
  );
});

test.each(versions("1"))("v%s: a create event with prev_events", (version) => {
  const { create, rules } = testRoom({ version });
  const pdu = { ...create.pdu, prev_events: [reference(version)] };
  const verdict = authorise({ eventId: create.eventId, pdu }, rules, () => undefined);
  expect(brief(verdict)).toBe(expected("create.prev_events", rules));
});
