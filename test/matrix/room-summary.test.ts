import { expect, test } from "vitest";
import { roomSummary, type SummaryState } from "../../src/matrix/room-summary.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";

const rules = roomVersionRules("10")!;
const of = (state: SummaryState) => roomSummary({ roomId: "!a:h", rules, joined: 3, state });
const bare = {
  room_id: "!a:h",
  num_joined_members: 3,
  world_readable: false,
  guest_can_join: false,
  join_rule: "invite",
  room_version: "10",
};

test("a room that says nothing of itself is closed and has no name", () => {
  expect(of({})).toEqual(bare);
});

test("values of another type, and empty texts, are as if they were not there", () => {
  const odd = of({
    "m.room.create": { type: 1 },
    "m.room.join_rules": { join_rule: ["public"] },
    "m.room.history_visibility": { history_visibility: true },
    "m.room.guest_access": { guest_access: 1 },
    "m.room.name": { name: "" },
    "m.room.topic": { topic: {} },
    "m.room.canonical_alias": { alias: null },
    "m.room.avatar": {},
    "m.room.encryption": { algorithm: 1 },
  });
  expect(odd).toEqual(bare);
});

test.each([
  [
    "in plain text beside others",
    [{ mimetype: "text/html", body: "<b>x</b>" }, { body: "plain" }],
    "t",
    "plain",
  ],
  ["with its type named", [{ mimetype: "text/plain", body: "plain" }], "t", "plain"],
  ["in HTML alone", [{ mimetype: "text/html", body: "<b>x</b>" }], "t", "t"],
  ["of a wrong form", "x", "t", "t"],
  ["that is taken back", [{ body: "plain" }], "", undefined],
])("a topic %s", (_, text, topic, expected) => {
  expect(of({ "m.room.topic": { topic, "m.topic": { "m.text": text } } }).topic).toBe(expected);
});
