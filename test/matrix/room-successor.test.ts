import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import {
  succeedingDirectChats,
  succeedingPushRules,
  succeedingTags,
} from "../../src/matrix/room-successor.ts";

const succession = { from: "!old:h", to: "!new" };
const rulesOf = (content: JsonObject | undefined) => content?.global as { [kind: string]: JsonObject[] };

describe("tags", () => {
  test.each<[old: JsonObject | undefined, present: JsonObject | undefined, want: JsonObject | undefined]>([
    [{ tags: { a: {} } }, undefined, { tags: { a: {} } }],
    [{ tags: { a: {} } }, { tags: {} }, undefined],
    [undefined, undefined, undefined],
  ])("%j beside %j", (old, present, want) => expect(succeedingTags(old, present)).toEqual(want));
});

describe("direct chats", () => {
  test.each<[content: JsonObject | undefined, want: JsonObject | undefined]>([
    [
      { "@a:h": ["!x", "!old:h"], "@b:h": ["!x"] },
      { "@a:h": ["!x", "!old:h", "!new"], "@b:h": ["!x"] },
    ],
    [{ "@a:h": ["!old:h", "!new"] }, undefined],
    [{ "@a:h": ["!x"] }, undefined],
    [{ "@a:h": "!old:h", "@b:h": null }, undefined],
    [undefined, undefined],
  ])("%j", (content, want) => expect(succeedingDirectChats(content, succession)).toEqual(want));

  test("keep a member of an odd name", () => {
    const content = JSON.parse('{"__proto__": ["!x"], "@a:h": ["!old:h"]}') as JsonObject;
    const want = '{"__proto__":["!x"],"@a:h":["!old:h","!new"]}';
    expect(JSON.stringify(succeedingDirectChats(content, succession))).toBe(want);
  });
});

describe("push rules", () => {
  const rule = (rule_id: string, conditions?: JsonValue): JsonObject => ({
    rule_id,
    actions: ["notify"],
    ...(conditions !== undefined && { conditions }),
  });
  const inRoom = (pattern: string) => ({ kind: "event_match", key: "room_id", pattern });

  test("for the room are there for the new one, right behind", () => {
    const content = { device: 1, global: { room: [rule("!old:h"), rule("!other:h")], override: [] } };
    expect(succeedingPushRules(content, succession)).toEqual({
      device: 1,
      global: { room: [rule("!old:h"), rule("!new"), rule("!other:h")], override: [] },
    });
  });

  test("with a condition on the room have it on the new one, under a name of their own", () => {
    const other = { kind: "room_member_count", is: "2" };
    const override = [
      rule("!old:h", [inRoom("!old:h")]),
      rule("mine", [other, inRoom("!old:h")]),
      rule("else", [inRoom("!other:h")]),
      rule(".m.rule.x", [inRoom("!old:h")]),
    ];
    expect(rulesOf(succeedingPushRules({ global: { override } }, succession)).override).toEqual([
      override[0],
      rule("!new", [inRoom("!new")]),
      override[1],
      rule("mine_!new", [other, inRoom("!new")]),
      override[2],
      override[3],
    ]);
  });

  test("that are there already stay as they are", () => {
    const content = { global: { room: [rule("!old:h"), { ...rule("!new"), actions: [] }] } };
    expect(succeedingPushRules(content, succession)).toBeUndefined();
  });
});

test("property: of any content, what has been done is not done again, and nothing is lost", () => {
  const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;
  const rooms = fc.array(fc.constantFrom<JsonValue>("!old:h", "!new", "!x", 1));
  const direct = fc.dictionary(fc.string(), fc.oneof(rooms, json)) as fc.Arbitrary<JsonObject>;
  const rule = fc.record({
    rule_id: fc.constantFrom("!old:h", "!new", "a", ".m.rule.a"),
    actions: fc.constant<string[]>([]),
    conditions: fc.oneof(
      json,
      fc.constant([{ kind: "event_match", key: "room_id", pattern: "!old:h" }] as JsonValue),
    ),
  });
  const rules = fc.record({
    global: fc.dictionary(
      fc.constantFrom("override", "room", "underride", "odd"),
      fc.oneof(fc.array(fc.oneof(rule as fc.Arbitrary<JsonValue>, json)), json),
    ),
  }) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(direct, rules, (chats, pushRules) => {
      const changedChats = succeedingDirectChats(chats, succession);
      if (changedChats !== undefined) {
        expect(succeedingDirectChats(changedChats, succession)).toBeUndefined();
        expect(Object.keys(changedChats)).toEqual(Object.keys(chats));
      }
      const changedRules = succeedingPushRules(pushRules, succession);
      if (changedRules !== undefined) {
        expect(succeedingPushRules(changedRules, succession)).toBeUndefined();
        for (const [kind, list] of Object.entries(rulesOf(pushRules))) {
          const after = rulesOf(changedRules)[kind];
          if (Array.isArray(list)) expect(after).toEqual(expect.arrayContaining(list));
          else expect(after).toEqual(list);
        }
      }
    }),
  );
});
