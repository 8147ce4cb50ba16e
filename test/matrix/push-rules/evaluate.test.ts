import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { PushContext } from "../../../src/matrix/push-rules/conditions.ts";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import { evaluate, type Verdict, verdictOf } from "../../../src/matrix/push-rules/evaluate.ts";
import type { PushRule, Ruleset } from "../../../src/matrix/push-rules/ruleset.ts";

const me = "@me:h";
const context = (memberCount = 3, mayNotify = true): PushContext => ({
  displayName: async () => "Me",
  memberCount: async () => memberCount,
  senderMayNotify: async (key) => mayNotify && key === "room",
});
const nothing: Verdict = { notify: false, highlight: false };
const quiet: Verdict = { notify: true, highlight: false };
const loud: Verdict = { notify: true, highlight: false, sound: "default" };

const event = (type: string, content: JsonObject, stateKey?: string): JsonObject => ({
  type,
  content,
  sender: "@you:h",
  room_id: "!r:h",
  ...(stateKey !== undefined && { state_key: stateKey }),
});
const text = (content: JsonObject = {}) =>
  event("m.room.message", { msgtype: "m.text", body: "hi", ...content });
const mentions = (value: JsonObject) => text({ "m.mentions": value });

describe("the default rules", () => {
  test.each<[name: string, event: JsonObject, context: PushContext, want: Verdict]>([
    ["a message in a group", text(), context(3), quiet],
    ["a message between two", text(), context(2), loud],
    ["an encrypted message in a group", event("m.room.encrypted", {}), context(3), quiet],
    ["an encrypted message between two", event("m.room.encrypted", {}), context(2), loud],
    ["a notice", text({ msgtype: "m.notice" }), context(2), nothing],
    ["a mention", mentions({ user_ids: ["@x:h", me] }), context(), { ...loud, highlight: true }],
    ["another's mention", mentions({ user_ids: ["@x:h"] }), context(), quiet],
    ["a name in the body is no mention", text({ body: "hi Me @me:h" }), context(), quiet],
    ["a mention of the room", mentions({ room: true }), context(), { ...quiet, highlight: true }],
    ["the same without the level for it", mentions({ room: true }), context(3, false), quiet],
    ["a room mention that is no boolean", mentions({ room: "true" }), context(), quiet],
    ["an edit", text({ "m.relates_to": { rel_type: "m.replace", event_id: "$a" } }), context(), nothing],
    ["a reply in a thread", text({ "m.relates_to": { rel_type: "m.thread" } }), context(), quiet],
    ["a reaction", event("m.reaction", {}), context(), nothing],
    ["an invite for me", event("m.room.member", { membership: "invite" }, me), context(), loud],
    ["an invite for another", event("m.room.member", { membership: "invite" }, "@x:h"), context(), nothing],
    ["a join", event("m.room.member", { membership: "join" }, "@x:h"), context(), nothing],
    ["a tombstone", event("m.room.tombstone", {}, ""), context(), { ...quiet, highlight: true }],
    ["a tombstone that is no state", event("m.room.tombstone", {}), context(), nothing],
    ["a server ACL", event("m.room.server_acl", {}, ""), context(), nothing],
    ["a call", event("m.call.invite", {}), context(), { ...quiet, sound: "ring" }],
    ["a topic", event("m.room.topic", { topic: "x" }, ""), context(), nothing],
    ["an unknown type", event("org.example.x", { body: "x" }), context(), nothing],
  ])("%s", async (_, judged, about, want) => {
    expect(verdictOf(await evaluate(defaultRuleset(me), judged, about))).toEqual(want);
  });

  test("there are five kinds, and ids that are the spec's", () => {
    const rules = defaultRuleset(me);
    expect(rules.override.map((rule) => rule.rule_id.slice(8)).join()).toBe(
      "master,suppress_notices,invite_for_me,member_event,is_user_mention,is_room_mention,tombstone,reaction,room.server_acl,suppress_edits",
    );
    expect(rules.underride.map((rule) => rule.rule_id.slice(8)).join()).toBe(
      "call,encrypted_room_one_to_one,room_one_to_one,message,encrypted",
    );
    expect([rules.content, rules.room, rules.sender]).toEqual([[], [], []]);
    expect(rules.override.filter((rule) => !rule.enabled).map((rule) => rule.rule_id)).toEqual([
      ".m.rule.master",
    ]);
  });
});

describe("a user's own rules", () => {
  const cake = own("cake", { pattern: "cake", actions: ["notify", { set_tweak: "sound", value: "bell" }] });
  const lie = own("lie", { pattern: "cake*lie", actions: ["notify"] });
  const here = own("!r:h", { actions: [] });
  const them = own("@you:h", { actions: ["notify", { set_tweak: "highlight" }] });
  const isLie = text({ body: "the cake is a lie" });

  test.each<[name: string, rules: Partial<Ruleset>, event: JsonObject, want: Verdict]>([
    ["the first of a kind decides", { content: [lie, cake] }, isLie, quiet],
    ["in the other order too", { content: [cake, lie] }, isLie, { ...quiet, sound: "bell" }],
    [
      "a disabled rule never matches",
      { content: [{ ...lie, enabled: false }, cake] },
      isLie,
      { ...quiet, sound: "bell" },
    ],
    ["content goes before room", { content: [lie], room: [here] }, isLie, quiet],
    ["room goes before sender", { room: [here], sender: [them] }, text(), nothing],
    [
      "another room's rule",
      { room: [own("!other:h", { actions: [] })], sender: [them] },
      text(),
      { ...quiet, highlight: true },
    ],
    ["another sender's rule", { sender: [own("@x:h", { actions: [] })] }, text(), quiet],
    [
      "override goes first",
      { override: [own("o", { conditions: [], actions: [] })], content: [lie] },
      isLie,
      nothing,
    ],
    [
      "all conditions must hold",
      { override: [own("o", { conditions: [{ kind: "nope" }], actions: [] })] },
      text(),
      quiet,
    ],
    ["dont_notify is ignored", { room: [own("!r:h", { actions: ["dont_notify"] })] }, text(), nothing],
    [
      "a highlight of false",
      { room: [own("!r:h", { actions: ["notify", { set_tweak: "highlight", value: false }] })] },
      text(),
      quiet,
    ],
    [
      "a tweak without notify",
      { room: [own("!r:h", { actions: [{ set_tweak: "highlight" }] })] },
      text(),
      nothing,
    ],
  ])("%s", async (_, rules, judged, want) => {
    expect(verdictOf(await evaluate({ ...defaultRuleset(me), ...rules }, judged, context()))).toEqual(want);
  });
});

function own(rule_id: string, rest: Partial<PushRule> & Pick<PushRule, "actions">): PushRule {
  return { rule_id, default: false, enabled: true, ...rest };
}
