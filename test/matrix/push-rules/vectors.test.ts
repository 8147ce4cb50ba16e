import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { conditionHolds } from "../../../src/matrix/push-rules/conditions.ts";
import { tweaksOf } from "../../../src/matrix/push-rules/evaluate.ts";
import type { PushCondition } from "../../../src/matrix/push-rules/ruleset.ts";

/* What other implementations hold to be right, as facts of their tests; the source stands with each group. */

const holds = (condition: PushCondition, content: JsonObject, displayName = "display_name") =>
  conditionHolds(
    condition,
    { type: "m.room.message", sender: "@user:test", room_id: "!room:test", content },
    {
      displayName: async () => displayName,
      memberCount: async () => 3,
      senderMayNotify: async () => false,
    },
  );

/** element-hq/synapse tests/push/test_push_rule_evaluator.py, test_display_name and test_invalid_body */
describe("Synapse, contains_display_name", () => {
  test.each<[name: string, body: JsonValue, want: boolean]>([
    ["", "foo bar baz", false],
    ["not found", "foo bar baz", false],
    ["foo", "foo bar baz", true],
    ["ba", "foo bar baz", false],
    ["ba[rz]", "foo bar baz", false],
    ["foo bar", "foo bar baz", true],
    ["foo", 1, false],
    ["foo", true, false],
    ["foo", { foo: "bar" }, false],
  ])("%j in %j: %j", async (name, body, want) => {
    expect(await holds({ kind: "contains_display_name" }, { body }, name)).toBe(want);
  });
});

/** The same file, test_event_match_body and test_event_match_non_body */
describe("Synapse, event_match", () => {
  test.each<[pattern: string, body: string, want: boolean]>([
    ["foobaz", "aaa FoobaZ zzz", true],
    ["foobaz", "aa xFoobaZ yy", false],
    ["foobaz", "aa foobazx yy", false],
    ["f?o*baz", "aaa FoobarbaZ zzz", true],
    ["f?o*baz", "aa foobaz yy", true],
    ["f?o*baz", "aa fobbaz yy", false],
    ["f?o*baz", "aa fiiobaz yy", false],
    ["f?o*baz", "aa xfooxbaz yy", false],
    ["f?o*baz", "aa fooxbazx yy", false],
    ["f\\oobaz", "F\\oobaz", true],
    ["f\\?obaz", "F\\oobaz", true],
  ])("%j in the body %j: %j", async (pattern, body, want) => {
    expect(await holds({ kind: "event_match", key: "content.body", pattern }, { body })).toBe(want);
  });

  test.each<[pattern: string, value: string, want: boolean]>([
    ["foobaz", "FoobaZ", true],
    ["foobaz", "xFoobaZ", false],
    ["foobaz", "FoobaZz", false],
    ["f?o*baz", "FoobarbaZ", true],
    ["f?o*baz", "foobaz", true],
    ["f?o*baz", "fobbaz", false],
    ["f?o*baz", "fiiobaz", false],
    ["f?o*baz", "xfooxbaz", false],
    ["f?o*baz", "fooxbazx", false],
    ["f?o*baz", "x\nfooxbaz", false],
    ["f?o*baz", "fooxbaz\nx", false],
  ])("%j for the value %j: %j", async (pattern, value, want) => {
    expect(await holds({ kind: "event_match", key: "content.value", pattern }, { value })).toBe(want);
  });

  test("knows no pattern_type", async () => {
    const condition = { key: "content.value", pattern_type: "user_id" };
    expect(await holds({ ...condition, kind: "event_match" }, { value: "@user:test" })).toBe(false);
    expect(await holds({ ...condition, kind: "event_match_type" }, { value: "@user:test" })).toBe(false);
  });
});

/** The same file, test_exact_event_match_* and test_exact_event_property_contains */
describe("Synapse, event_property_is and event_property_contains", () => {
  const values: JsonValue[] = [
    "foobaz",
    "FoobaZ",
    "test foobaz test",
    "",
    "1",
    true,
    false,
    1,
    1.1,
    -1,
    0,
    null,
  ];
  test.each<[wanted: JsonValue]>([["foobaz"], [true], [false], [null], [1]])(
    "%j is itself alone",
    async (wanted) => {
      const condition = { kind: "event_property_is", key: "content.value", value: wanted };
      for (const value of [...values, [], {}]) {
        expect(await holds(condition, { value }), JSON.stringify(value)).toBe(value === wanted);
      }
    },
  );

  test.each<[value: JsonValue, want: boolean]>([
    [["foobaz"], true],
    [["foobaz", "bugz"], true],
    [["FoobaZ"], false],
    ["foobaz", false],
  ])("%j contains it: %j", async (value, want) => {
    const condition = { kind: "event_property_contains", key: "content.value", value: "foobaz" };
    expect(await holds(condition, { value })).toBe(want);
  });
});

/** The same file, test_tweaks_for_actions */
test("Synapse, tweaks of actions", () => {
  const actions = [{ set_tweak: "sound", value: "default" }, { set_tweak: "highlight" }, "notify"];
  expect(tweaksOf(actions)).toEqual({ sound: "default", highlight: true });
});

/** ruma/ruma crates/ruma-common/src/push/condition.rs, words_match and patterns_match */
describe("ruma", () => {
  test.each<[text: string, pattern: string, want: boolean]>([
    ["foo bar", "foo", true],
    ["Foo bar", "foo", true],
    ["foobar foobar", "foo", false],
    ["foobar bar", "bar bar", false],
    ["foobar bar bar", "bar bar", true],
    ["foobar bar barfoo", "bar bar", false],
    ["conduit ⚡️", "conduit ⚡️", true],
    ["conduit⚡️", "conduit", true],
    ["⚡️conduit", "⚡️", true],
    ["Ruma Dev👩‍💻", "Dev", true],
    ["Ruma Dev👩‍💻", "👩‍💻", true],
    ["Ruma Dev👩‍💻", "Dev👩‍💻", true],
    ["matrix", "\\w*", false],
    ["\\w", "\\w*", true],
    ["matrix", "[a-z]*", false],
    ["[a-z] and [0-9]", "[a-z]*", true],
    ["m", "[[:alpha:]]?", false],
    ["[[:alpha:]]!", "[[:alpha:]]?", true],
    ["foo baré", "foo bar", true],
    ["bar foo", "foo bar", false],
    ["foo bar", "foo ", true],
    ["foo  ", "foo ", true],
    ["foo bar", "foo*", true],
    ["baz foo bar baz", "foo b?r", true],
    ["foo baré", "foo b?r", true],
    [" foo  ", "f*o ", true],
  ])("the body %j has the words %j: %j", async (body, pattern, want) => {
    expect(await holds({ kind: "event_match", key: "content.body", pattern }, { body })).toBe(want);
  });

  test.each<[value: string, pattern: string, want: boolean]>([
    ["foo bar", "foo", false],
    ["foo", "foo*", true],
    ["foo bar", "foo*", true],
    ["foo", "foo?", false],
    ["fooo", "foo?", true],
    ["FOO", "foo", true],
    ["", "", true],
    ["", "*", true],
    ["foo", "", false],
  ])("the value %j is %j: %j", async (value, pattern, want) => {
    expect(await holds({ kind: "event_match", key: "content.value", pattern }, { value })).toBe(want);
  });
});
