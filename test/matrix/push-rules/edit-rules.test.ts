import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MatrixError } from "../../../src/matrix/errors.ts";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import {
  findRule,
  type RulePlace,
  rulesToStore,
  withChange,
  withoutRule,
  withRule,
} from "../../../src/matrix/push-rules/edit-rules.ts";
import { RULE_KINDS, type RuleKind, type Ruleset } from "../../../src/matrix/push-rules/ruleset.ts";
import { userRuleset } from "../../../src/matrix/push-rules/user-rules.ts";

const me = "@me:h";
const defaults = defaultRuleset(me);
const quiet = { actions: [] };
const loud = { actions: ["notify"] };

const add = (rules: Ruleset, kind: RuleKind, id: string, place: RulePlace = {}, wanted: object = loud) =>
  withRule(rules, kind, id, { actions: [], pattern: "x", ...wanted }, place);
const ids = (rules: Ruleset, kind: RuleKind) =>
  rules[kind].filter((rule) => !rule.default).map(({ rule_id }) => rule_id);
const three = ["c", "b", "a"].reduce((rules, id) => add(rules, "content", id), defaults);

function refusal(change: () => unknown): [errcode: string, status: number] {
  try {
    change();
  } catch (error) {
    const { errcode, status } = error as MatrixError;
    return [errcode, status];
  }
  throw new Error("it was not refused");
}

describe("a rule of the user's own", () => {
  test.each(RULE_KINDS)("of the kind %s is put before the server's, and enabled", (kind) => {
    const rules = add(defaults, kind, "mine");
    const at = kind === "override" ? 1 : 0;
    expect(rules[kind][at]).toMatchObject({ rule_id: "mine", default: false, enabled: true });
    expect(rules[kind].filter((rule) => rule.default)).toEqual(defaults[kind]);
  });

  test.each<[place: RulePlace, want: string]>([
    [{}, "d a b c"],
    [{ before: "a" }, "d a b c"],
    [{ before: "c" }, "a b d c"],
    [{ after: "a" }, "a d b c"],
    [{ after: "c" }, "a b c d"],
    [{ before: "b", after: "c" }, "a d b c"],
  ])("that is new is put where %j says", (place, want) => {
    expect(ids(add(three, "content", "d", place), "content").join(" ")).toBe(want);
  });

  test.each<[place: RulePlace, want: string]>([
    [{}, "a b c"],
    [{ before: "a" }, "b a c"],
    [{ after: "c" }, "a c b"],
    [{ after: "a" }, "a b c"],
    [{ before: "b" }, "a b c"],
  ])("that is there is moved where %j says", (place, want) => {
    expect(ids(add(three, "content", "b", place), "content").join(" ")).toBe(want);
  });

  test("is changed whole, but for being enabled", () => {
    const disabled = withChange(three, "content", "b", { enabled: false });
    const changed = add(disabled, "content", "b", {}, { ...quiet, pattern: "y" });
    expect(findRule(changed, "content", "b")).toEqual({
      rule_id: "b",
      default: false,
      enabled: false,
      actions: [],
      pattern: "y",
    });
  });

  test("has the parameters of its kind alone", () => {
    const wanted = { ...loud, conditions: [{ kind: "contains_display_name" }] };
    expect(Object.keys(findRule(add(defaults, "room", "!r:h", {}, wanted), "room", "!r:h"))).not.toContain(
      "conditions",
    );
    expect(findRule(add(defaults, "override", "o", {}, wanted), "override", "o")).toEqual({
      rule_id: "o",
      default: false,
      enabled: true,
      ...wanted,
    });
    expect(findRule(add(defaults, "underride", "u"), "underride", "u").conditions).toEqual([]);
  });

  test.each<[what: string, change: () => unknown, errcode: string, status: number]>([
    ["an id with a dot", () => add(defaults, "room", ".mine"), "M_INVALID_PARAM", 400],
    ["an id of the server's", () => add(defaults, "override", ".m.rule.master"), "M_INVALID_PARAM", 400],
    ["a slash", () => add(defaults, "room", "a/b"), "M_INVALID_PARAM", 400],
    ["a backslash", () => add(defaults, "room", "a\\b"), "M_INVALID_PARAM", 400],
    ["no id", () => add(defaults, "room", ""), "M_INVALID_PARAM", 400],
    ["a long id", () => add(defaults, "room", "a".repeat(256)), "M_INVALID_PARAM", 400],
    ["no pattern", () => withRule(defaults, "content", "a", loud, {}), "M_MISSING_PARAM", 400],
    ["an unknown before", () => add(three, "content", "d", { before: "e" }), "M_UNKNOWN", 400],
    ["an unknown after", () => add(three, "content", "d", { after: "e" }), "M_UNKNOWN", 400],
    ["a new rule before itself", () => add(three, "content", "d", { before: "d" }), "M_UNKNOWN", 400],
    ["another kind's before", () => add(three, "room", "d", { before: "a" }), "M_UNKNOWN", 400],
    [
      "a before of the server's",
      () => add(defaults, "override", "d", { before: ".m.rule.reaction" }),
      "M_UNKNOWN",
      400,
    ],
    ["too much", () => add(defaults, "content", "a", {}, { pattern: "a".repeat(9_000) }), "M_TOO_LARGE", 413],
    ["removal of none", () => withoutRule(three, "content", "d"), "M_NOT_FOUND", 404],
    ["removal of the server's", () => withoutRule(three, "override", ".m.rule.master"), "M_NOT_FOUND", 404],
    ["a change of none", () => withChange(three, "room", "a", { enabled: true }), "M_NOT_FOUND", 404],
  ])("is refused for %s", (_, change, errcode, status) => {
    expect(refusal(change)).toEqual([errcode, status]);
  });

  test("is one of at most five thousand", () => {
    const list = Array.from({ length: 5_000 }, (_, i) => ({
      rule_id: `!${i}:h`,
      default: false,
      enabled: true,
      actions: [],
    }));
    const full = { ...defaults, room: list };
    expect(refusal(() => add(full, "content", "one more"))).toEqual(["M_TOO_LARGE", 413]);
    expect(findRule(withRule(full, "room", "!1:h", loud, {}), "room", "!1:h").actions).toEqual(["notify"]);
  });

  test("can be removed", () => {
    expect(ids(withoutRule(three, "content", "b"), "content")).toEqual(["a", "c"]);
  });
});

test("of the server's rules only those that were changed are stored, and what is stored comes back", () => {
  expect(rulesToStore(me, defaults)).toEqual({
    global: { override: [], content: [], room: [], sender: [], underride: [] },
  });
  const kind = fc.constantFrom(...RULE_KINDS);
  const id = fc.constantFrom("a", "b", "c", ".m.rule.master", ".m.rule.message", ".m.rule.reaction");
  const step = fc.record({
    kind,
    id,
    what: fc.constantFrom("put", "delete", "enable", "disable", "actions"),
    place: fc.record({ before: id, after: id }, { requiredKeys: [] }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let rules = defaults;
      for (const { kind, id, what, place } of steps) {
        try {
          if (what === "put") rules = add(rules, kind, id, place);
          else if (what === "delete") rules = withoutRule(rules, kind, id);
          else if (what === "actions") rules = withChange(rules, kind, id, quiet);
          else rules = withChange(rules, kind, id, { enabled: what === "enable" });
        } catch (error) {
          expect((error as MatrixError).name).toBe("MatrixError");
        }
        // As many as there are, each once, and the server's all there.
        for (const each of RULE_KINDS) {
          const found = rules[each].map(({ rule_id }) => rule_id);
          expect(new Set(found).size).toBe(found.length);
          expect(rules[each].filter((rule) => rule.default)).toHaveLength(defaults[each].length);
        }
        expect(userRuleset(me, JSON.parse(JSON.stringify(rulesToStore(me, rules))))).toEqual(rules);
      }
    }),
  );
});
