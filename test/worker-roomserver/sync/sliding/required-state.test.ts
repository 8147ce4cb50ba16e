import { describe, expect, test } from "vitest";
import type { StatePair } from "../../../../src/worker-roomserver/sync/sliding/api.ts";
import { either, requiredState } from "../../../../src/worker-roomserver/sync/sliding/required-state.ts";

const me = "@me:example.org";
const entries: [type: string, stateKey: string][] = [
  ["m.room.create", ""],
  ["m.room.name", ""],
  ["m.space.child", "!a:example.org"],
  ["m.space.child", "!b:example.org"],
  ["m.room.member", me],
  ["m.room.member", "@other:example.org"],
  ["org.example.thing", me],
];
const wanted = (pairs: StatePair[]) => {
  const state = requiredState(pairs, me);
  return entries.filter(([type, stateKey]) => state.wants(type, stateKey)).map((entry) => entry.join("|"));
};

describe("which entries of a state are wanted", () => {
  test.each<[title: string, pairs: StatePair[], expected: string[]]>([
    ["nothing", [], []],
    ["one by its name", [["m.room.name", ""]], ["m.room.name|"]],
    [
      "all of a type",
      [["m.space.child", "*"]],
      ["m.space.child|!a:example.org", "m.space.child|!b:example.org"],
    ],
    ["one's own", [["m.room.member", "$ME"]], [`m.room.member|${me}`]],
    ["a state key, whatever the type", [["*", "$ME"]], [`m.room.member|${me}`, `org.example.thing|${me}`]],
    ["everything", [["*", "*"]], entries.map((entry) => entry.join("|"))],
    [
      "everything, but of one type only what is named",
      [
        ["*", "*"],
        ["m.space.child", "!a:example.org"],
        ["m.room.member", "$ME"],
      ],
      [
        "m.room.create|",
        "m.room.name|",
        "m.space.child|!a:example.org",
        `m.room.member|${me}`,
        `org.example.thing|${me}`,
      ],
    ],
    [
      "everything, but members as they appear",
      [
        ["*", "*"],
        ["m.room.member", "$LAZY"],
      ],
      [
        "m.room.create|",
        "m.room.name|",
        "m.space.child|!a:example.org",
        "m.space.child|!b:example.org",
        `org.example.thing|${me}`,
      ],
    ],
  ])("%s", (_, pairs, expected) => {
    expect(wanted(pairs)).toEqual(expected);
  });

  test("names that objects have of their own are names like others", () => {
    expect(requiredState([["constructor", "__proto__"]], me).wants("constructor", "__proto__")).toBe(true);
    expect(requiredState([], me).wants("constructor", "__proto__")).toBe(false);
  });

  test("only what cannot be named has to be searched for", () => {
    const more = (...pairs: StatePair[]) => requiredState(pairs, me).more;
    expect(more(["m.room.member", "$ME"], ["m.room.name", ""])).toEqual({ members: false, others: false });
    expect(more(["m.room.member", "*"])).toEqual({ members: true, others: false });
    expect(more(["m.space.child", "*"])).toEqual({ members: false, others: true });
    expect(more(["*", "*"])).toEqual({ members: true, others: true });
    expect(more(["*", "*"], ["m.room.member", "$LAZY"])).toEqual({ members: false, others: true });
    expect(more(["*", ""])).toEqual({ members: true, others: true });
  });

  test("of several requests, whatever any of them wants", () => {
    const state = either([
      requiredState(
        [
          ["*", "*"],
          ["m.room.member", "$LAZY"],
        ],
        me,
      ),
      requiredState([["m.room.member", "$ME"]], me),
    ]);
    expect([state.wants("m.room.member", me), state.wants("m.room.member", "@x:y")]).toEqual([true, false]);
    expect(state.wants("m.room.name", "")).toBe(true);
    expect(state.lazyMembers).toBe(true);
    expect(state.more).toEqual({ members: false, others: true });
  });
});
