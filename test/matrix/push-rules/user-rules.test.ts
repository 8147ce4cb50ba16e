import { expect, test } from "vitest";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import { userRuleset } from "../../../src/matrix/push-rules/user-rules.ts";

const me = "@me:h";
const defaults = defaultRuleset(me);

test("without changes the rules are the default ones", () => {
  expect(userRuleset(me, undefined)).toEqual(defaults);
  expect(userRuleset(me, { global: "nonsense" })).toEqual(defaults);
});

test("what was stored comes back, and stored again changes nothing", () => {
  const own = { rule_id: "cake", default: false, enabled: true, pattern: "cake", actions: ["notify"] };
  const once = userRuleset(me, { global: { content: [own] } });
  expect(once.content).toEqual([own]);
  expect(userRuleset(me, { global: once })).toEqual(once);
});

test("of a server's rule only what can be changed counts", () => {
  const stored = { rule_id: ".m.rule.message", enabled: false, actions: [], conditions: [] };
  const { underride } = userRuleset(me, { global: { underride: [stored] } });
  const message = defaults.underride.find((rule) => rule.rule_id === ".m.rule.message");
  expect(underride.find((rule) => rule.rule_id === ".m.rule.message")).toEqual({
    ...message,
    enabled: false,
    actions: [],
  });
  expect(underride).toHaveLength(defaults.underride.length);
});

test("own override rules stand behind the master rule and before the others", () => {
  const own = { rule_id: "mine", actions: [], conditions: [] };
  const ids = userRuleset(me, { global: { override: [own] } }).override.map((rule) => rule.rule_id);
  expect(ids.slice(0, 3)).toEqual([".m.rule.master", "mine", ".m.rule.suppress_notices"]);
});

test.each([
  ["no object", 1],
  ["no id", { actions: [] }],
  ["no actions", { rule_id: "a" }],
  ["conditions that are none", { rule_id: "a", actions: [], conditions: [1] }],
  ["an unknown server's rule", { rule_id: ".m.rule.unheard_of", actions: [] }],
])("a stored rule with %s is left out", (_, rule) => {
  expect(userRuleset(me, { global: { override: [rule] } })).toEqual(defaults);
});
