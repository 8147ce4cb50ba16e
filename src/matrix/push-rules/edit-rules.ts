import { invalidParam, missingParam, notFound, tooLarge, unknown } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { utf8Length } from "../utf8.ts";
import { defaultRuleset } from "./default-rules.ts";
import {
  MASTER_RULE,
  type PushAction,
  type PushCondition,
  type PushRule,
  RULE_KINDS,
  type RuleKind,
  type Ruleset,
} from "./ruleset.ts";

/** What a client says of a rule of its own. */
export type WantedRule = {
  actions: PushAction[];
  conditions?: PushCondition[] | undefined;
  pattern?: string | undefined;
};

/** Next to which rule of the user's own a rule is put; `before` (more important) goes before `after`. */
export type RulePlace = { before?: string | undefined; after?: string | undefined };

/** Every event of every room is held to the rules: thousands of muted rooms are many, more are a mistake. */
const MAX_OWN_RULES = 5_000;
/** Of one rule, as JSON: patterns are tried at each place of a text. */
const MAX_RULE_BYTES = 8 * 1024;
/** As long as ids may be that rules are named after. */
const MAX_RULE_ID_BYTES = 255;

/**
 * The rules with one of the user's own added, or changed where there is one of that id: it then stays enabled or
 * disabled as it was, and stays where it was if no place is asked for. A new one is the most important of the user's.
 * @throws MatrixError 400: M_INVALID_PARAM for an id or content that a rule cannot have; M_MISSING_PARAM for a content
 *   rule without a pattern; M_UNKNOWN for a place next to no rule of the user's. M_TOO_LARGE 413
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export function withRule(
  rules: Ruleset,
  kind: RuleKind,
  ruleId: string,
  wanted: WantedRule,
  place: RulePlace,
): Ruleset {
  checkRuleId(ruleId);
  const list = rules[kind];
  const present = list.find((rule) => rule.rule_id === ruleId);
  const rule = ownRule(kind, ruleId, wanted, present?.enabled ?? true);
  if (JSON.stringify(rule).length > MAX_RULE_BYTES) throw tooLarge("This push rule is too large.");
  if (present === undefined && ownRules(rules) >= MAX_OWN_RULES) {
    throw tooLarge(`There can be at most ${MAX_OWN_RULES} push rules: please remove some.`);
  }
  const relative = place.before ?? place.after;
  if (relative !== undefined) requireOwn(list, relative);
  if (present !== undefined && (relative === undefined || relative === ruleId)) {
    return { ...rules, [kind]: list.map((other) => (other === present ? rule : other)) };
  }
  const others = list.filter((other) => other !== present);
  const at =
    relative === undefined
      ? others.filter((other) => other.rule_id === MASTER_RULE).length
      : others.findIndex((other) => other.rule_id === relative) + (place.before === undefined ? 1 : 0);
  return { ...rules, [kind]: [...others.slice(0, at), rule, ...others.slice(at)] };
}

/** @throws MatrixError M_NOT_FOUND 404: server-default rules cannot be removed, as there are none among the user's */
export function withoutRule(rules: Ruleset, kind: RuleKind, ruleId: string): Ruleset {
  const rule = findRule(rules, kind, ruleId);
  if (rule.default) throw notFound("This rule is the server's: it can be disabled, but not removed.");
  return { ...rules, [kind]: rules[kind].filter((other) => other !== rule) };
}

/** Changes a rule of the user's or of the server's. @throws MatrixError M_NOT_FOUND 404 */
export function withChange(
  rules: Ruleset,
  kind: RuleKind,
  ruleId: string,
  change: Partial<Pick<PushRule, "enabled" | "actions">>,
): Ruleset {
  const rule = findRule(rules, kind, ruleId);
  const changed = { ...rule, ...change };
  if (JSON.stringify(changed).length > MAX_RULE_BYTES) throw tooLarge("This push rule is too large.");
  return { ...rules, [kind]: rules[kind].map((other) => (other === rule ? changed : other)) };
}

/** @throws MatrixError M_NOT_FOUND 404 */
export function findRule(rules: Ruleset, kind: RuleKind, ruleId: string): PushRule {
  const found = rules[kind].find((rule) => rule.rule_id === ruleId);
  if (found === undefined) throw notFound("There is no such push rule.");
  return found;
}

/**
 * What is kept of a user's rules: their own, and of the server's those that they have changed, so that what they have
 * not changed is as the server has it today.
 */
export function rulesToStore(userId: string, rules: Ruleset): JsonObject {
  const defaults = defaultRuleset(userId);
  const isKept = (kind: RuleKind, rule: PushRule) => {
    const original = defaults[kind].find((other) => other.rule_id === rule.rule_id);
    return original === undefined || settings(original) !== settings(rule);
  };
  const kept = RULE_KINDS.map((kind) => [kind, rules[kind].filter((rule) => isKept(kind, rule))]);
  return { global: Object.fromEntries(kept) as JsonObject };
}

const settings = ({ enabled, actions }: PushRule) => JSON.stringify([enabled, actions]);

function ownRule(kind: RuleKind, ruleId: string, wanted: WantedRule, enabled: boolean): PushRule {
  const { actions, conditions, pattern } = wanted;
  const rule: PushRule = { rule_id: ruleId, default: false, enabled, actions };
  if (kind === "override" || kind === "underride") return { ...rule, conditions: conditions ?? [] };
  if (kind !== "content") return rule;
  if (pattern === undefined) throw missingParam('"pattern" is missing: a content rule has one.');
  return { ...rule, pattern };
}

function checkRuleId(ruleId: string): void {
  if (ruleId.startsWith(".")) throw invalidParam("Rules whose ID starts with a dot are the server's.");
  if (/[/\\]/.test(ruleId)) throw invalidParam("The ID of a push rule may have no slash or backslash.");
  if (ruleId === "" || utf8Length(ruleId) > MAX_RULE_ID_BYTES) {
    throw invalidParam(`The ID of a push rule has 1 to ${MAX_RULE_ID_BYTES} bytes.`);
  }
}

function requireOwn(list: readonly PushRule[], relative: string): void {
  if (list.some((rule) => !rule.default && rule.rule_id === relative)) return;
  throw unknown(`before/after rule not found: ${relative}`, 400);
}

function ownRules(rules: Ruleset): number {
  return RULE_KINDS.reduce((sum, kind) => sum + rules[kind].filter((rule) => !rule.default).length, 0);
}
