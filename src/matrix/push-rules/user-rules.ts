import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { defaultRuleset } from "./default-rules.ts";
import { MASTER_RULE, type PushRule, RULE_KINDS, type RuleKind, type Ruleset } from "./ruleset.ts";
import { isAction, isCondition } from "./shapes.ts";

/**
 * The rules of a user, from what is kept of them. Server-default rules are always there, also those that did not
 * exist when the rules were stored; of a stored one counts only what can be changed: `enabled` and `actions`. The
 * user's own rules come before them, but behind `.m.rule.master`.
 * @param stored - the content of the user's `m.push_rules`; undefined when no rule was ever changed
 * @see https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function userRuleset(userId: string, stored: JsonObject | undefined): Ruleset {
  const rules = defaultRuleset(userId);
  const kept = stored?.global;
  if (!isJsonObject(kept)) return rules;
  for (const kind of RULE_KINDS) rules[kind] = merge(rules[kind], readRules(kept[kind], kind));
  return rules;
}

function merge(defaults: PushRule[], stored: PushRule[]): PushRule[] {
  const own = stored.filter((rule) => !rule.default);
  const changed = defaults.map((rule) => {
    const mine = stored.find((other) => other.default && other.rule_id === rule.rule_id);
    return mine === undefined ? rule : { ...rule, enabled: mine.enabled, actions: mine.actions };
  });
  const masters = changed.filter((rule) => rule.rule_id === MASTER_RULE);
  return [...masters, ...own, ...changed.filter((rule) => !masters.includes(rule))];
}

/** The rules of a stored list; what has not the shape of a rule is left out. */
function readRules(list: JsonValue | undefined, kind: RuleKind): PushRule[] {
  if (!Array.isArray(list)) return [];
  return list.map((item) => readRule(item, kind)).filter((rule) => rule !== undefined);
}

function readRule(item: JsonValue, kind: RuleKind): PushRule | undefined {
  if (!isJsonObject(item) || typeof item.rule_id !== "string" || !Array.isArray(item.actions))
    return undefined;
  const rule: PushRule = {
    rule_id: item.rule_id,
    // A dot at the start is what makes a rule the server's.
    default: item.rule_id.startsWith("."),
    enabled: item.enabled !== false,
    actions: item.actions.filter(isAction),
  };
  if (kind === "content") {
    return typeof item.pattern === "string" ? { ...rule, pattern: item.pattern } : undefined;
  }
  if (kind === "room" || kind === "sender") return rule;
  if (item.conditions === undefined) return { ...rule, conditions: [] };
  if (!Array.isArray(item.conditions) || !item.conditions.every(isCondition)) return undefined;
  return { ...rule, conditions: item.conditions };
}
