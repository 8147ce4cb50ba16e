import { describe, expect, test } from "vitest";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import { type EventFields, usualRoom } from "../room-builder.ts";
import { expected, judge, versions } from "./judge.ts";

const bob = "@bob:b.example";
const knock = (sender = bob): EventFields => ({
  type: "m.room.member",
  sender,
  state_key: bob,
  content: { membership: "knock" },
});

test.each(versions("1", "6"))("v%s: knocking is not known", (version) => {
  const room = usualRoom({ version, joinRule: "knock" });
  expect(judge(room, knock())).toBe(expected("member.otherwise", room.rules));
});

describe.each(versions("7"))("v%s", (version) => {
  test.each(["public", "invite", "restricted", "private"])(
    "knocking where the join rule is %s",
    (joinRule) => {
      const room = usualRoom({ version, joinRule });
      expect(judge(room, knock())).toBe(expected("member.knock.join_rule", room.rules));
    },
  );

  test("knocking where the join rule is knock, from v10 on also knock_restricted", () => {
    expect(judge(usualRoom({ version, joinRule: "knock" }), knock())).toBe("allow");
    const room = usualRoom({ version, joinRule: "knock_restricted" });
    const want = room.rules.knockRestricted ? "allow" : "member.knock.join_rule";
    expect(judge(room, knock())).toBe(expected(want, room.rules));
  });

  test.each<[was: string | undefined, want: "allow" | RuleName]>([
    [undefined, "allow"],
    ["leave", "allow"],
    ["knock", "allow"],
    ["invite", "member.knock.otherwise"],
    ["join", "member.knock.otherwise"],
    ["ban", "member.knock.otherwise"],
  ])("knocking from %s: %s", (was, want) => {
    const room = usualRoom({ version, joinRule: "knock" });
    if (was !== undefined) room.member(bob, was);
    expect(judge(room, knock())).toBe(expected(want, room.rules));
  });

  test("nobody knocks for another", () => {
    const room = usualRoom({ version, joinRule: "knock" });
    expect(judge(room, knock(room.creator))).toBe(expected("member.knock.sender", room.rules));
  });
});
