import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { conditionHolds, type PushContext } from "../../../src/matrix/push-rules/conditions.ts";
import type { PushCondition } from "../../../src/matrix/push-rules/ruleset.ts";

const context = (
  known: { displayName?: string; memberCount?: number; levels?: string[] } = {},
): PushContext => ({
  displayName: async () => known.displayName,
  memberCount: async () => known.memberCount ?? 3,
  senderMayNotify: async (key) => known.levels?.includes(key) ?? false,
});

const message = (content: JsonObject): JsonObject => ({ type: "m.room.message", sender: "@a:h", content });
const create = (federate: JsonObject[string]) => message({ "m.federate": federate, room_version: "1" });
const federates = { kind: "event_property_is", key: "content.m\\.federate", value: true };
const aliases = (alt_aliases: JsonObject[string]) => message({ alt_aliases });
const listsRoom = {
  kind: "event_property_contains",
  key: "content.alt_aliases",
  value: "#myroom:example.com",
};

test.each<[name: string, condition: PushCondition, event: JsonObject, want: boolean]>([
  ["event_match, a property", match("content.topic", "lunc?*"), message({ topic: "Lunch plans" }), true],
  ["event_match, no string", match("content.topic", "*"), message({ topic: null }), false],
  ["event_match, a number", match("content.topic", "1"), message({ topic: 1 }), false],
  ["event_match, absent", match("content.topic", "*"), message({}), false],
  ["event_match, the top level", match("type", "m.room.*"), message({}), true],
  ["event_match, words of the body", match("content.body", "ex*ple"), message({ body: "An example." }), true],
  ["event_match, elsewhere not words", match("content.topic", "cake"), message({ topic: "a cake" }), false],
  ["event_match, escaped dot", match("content.m\\.x.y", "z"), message({ "m.x": { y: "z" } }), true],
  ["event_match, dot not escaped", match("content.m.x.y", "z"), message({ "m.x": { y: "z" } }), false],
  ["event_match, escaped backslash", match("content.m\\\\foo", "z"), message({ "m\\foo": "z" }), true],
  ["event_match, other escapes stay", match("content.m\\foo", "z"), message({ "m\\foo": "z" }), true],
  ["event_match, inherited property", match("content.constructor.name", "*"), message({}), false],
  ["event_match, without a pattern", { kind: "event_match", key: "type" }, message({}), false],
  ["event_property_is", federates, create(true), true],
  ["event_property_is, another type", federates, create("true"), false],
  ["event_property_is, a number for true", federates, create(1), false],
  ["event_property_is, absent", federates, message({}), false],
  ["event_property_is, null", is("content.x", null), message({ x: null }), true],
  ["event_property_is, null but absent", is("content.x", null), message({}), false],
  ["event_property_is, an integer", is("content.x", 2 ** 53 - 1), message({ x: 2 ** 53 - 1 }), true],
  ["event_property_is, past the integers", is("content.x", 2 ** 53), message({ x: 2 ** 53 }), false],
  ["event_property_is, an object", is("content.x", {}), message({ x: {} }), false],
  ["event_property_is, no value", { kind: "event_property_is", key: "content.x" }, message({}), false],
  ["event_property_contains", listsRoom, aliases(["#other:h", "#myroom:example.com"]), true],
  ["event_property_contains, a part only", listsRoom, aliases([":example.com"]), false],
  ["event_property_contains, no array", listsRoom, aliases("#myroom:example.com"), false],
  ["event_property_contains, absent", listsRoom, message({}), false],
  ["an unknown kind", { kind: "org.example.moon_is_full" }, message({}), false],
])("%s", async (_, condition, event, want) => {
  expect(await conditionHolds(condition, event, context())).toBe(want);
});

test.each<[is: JsonObject[string], members: number, want: boolean]>([
  ["2", 2, true],
  ["2", 3, false],
  ["==2", 2, true],
  ["==2", 1, false],
  ["<3", 2, true],
  ["<3", 3, false],
  [">3", 4, true],
  [">3", 3, false],
  ["<=10", 10, true],
  ["<=10", 11, false],
  [">=10", 10, true],
  [">=10", 9, false],
  ["=2", 2, false],
  ["two", 2, false],
  ["", 0, false],
  [2, 2, false],
])("room_member_count %j of %j members: %j", async (is, memberCount, want) => {
  const condition = { kind: "room_member_count", is };
  expect(await conditionHolds(condition, message({}), context({ memberCount }))).toBe(want);
});

test.each<[displayName: string | undefined, body: JsonObject[string], want: boolean]>([
  ["Alice M", "hi alice m!", true],
  ["Alice M", "hi malice m!", false],
  ["*", "anything", false],
  ["", "anything", false],
  [undefined, "anything", false],
  ["Alice", 1, false],
])("contains_display_name %j in %j: %j", async (displayName, body, want) => {
  const known = displayName === undefined ? {} : { displayName };
  const condition = { kind: "contains_display_name" };
  expect(await conditionHolds(condition, message({ body }), context(known))).toBe(want);
});

test.each<[key: JsonObject[string], want: boolean]>([
  ["room", true],
  ["moon", false],
  [1, false],
])("sender_notification_permission for %j: %j", async (key, want) => {
  const condition = { kind: "sender_notification_permission", key };
  expect(await conditionHolds(condition, message({}), context({ levels: ["room"] }))).toBe(want);
});

function match(key: string, pattern: string): PushCondition {
  return { kind: "event_match", key, pattern };
}

function is(key: string, value: JsonObject[string]): PushCondition {
  return { kind: "event_property_is", key, value };
}
