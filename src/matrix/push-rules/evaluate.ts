import type { JsonObject } from "../json.ts";
import { conditionHolds, eventMatches, type PushContext } from "./conditions.ts";
import { type PushAction, type PushRule, RULE_KINDS, type RuleKind, type Ruleset } from "./ruleset.ts";

/** What a user's rules want done about an event. */
export type Verdict = { notify: boolean; highlight: boolean; sound?: string };

/**
 * Judges an event by a user's rules: the first enabled rule that matches decides, and where none does nothing is
 * to be done. Events of the user's own are not to be judged at all.
 * @param event - with `room_id`, which a v12 create event has not on the wire
 * @returns the actions of that rule, the same array each time; none where no rule matches
 * @see https://spec.matrix.org/v1.19/client-server-api/#push-rules
 */
export async function evaluate(
  rules: Ruleset,
  event: JsonObject,
  context: PushContext,
): Promise<readonly PushAction[]> {
  for (const kind of RULE_KINDS) {
    for (const rule of rules[kind]) {
      if (rule.enabled && (await ruleMatches(kind, rule, event, context))) return rule.actions;
    }
  }
  return NO_ACTIONS;
}

const NO_ACTIONS: readonly PushAction[] = [];

async function ruleMatches(
  kind: RuleKind,
  rule: PushRule,
  event: JsonObject,
  context: PushContext,
): Promise<boolean> {
  switch (kind) {
    case "content":
      return rule.pattern !== undefined && eventMatches(event, "content.body", rule.pattern);
    case "room":
      return event.room_id === rule.rule_id;
    case "sender":
      return event.sender === rule.rule_id;
    default:
      for (const condition of rule.conditions ?? []) {
        if (!(await conditionHolds(condition, event, context))) return false;
      }
      return true;
  }
}

/** Tweaks without `notify` have nothing to act on. `dont_notify` and `coalesce` are of the past and ignored. */
export function verdictOf(actions: readonly PushAction[]): Verdict {
  if (!actions.includes("notify")) return { notify: false, highlight: false };
  const { highlight, sound } = tweaksOf(actions);
  return {
    notify: true,
    highlight: highlight !== undefined && highlight !== false,
    ...(typeof sound === "string" && { sound }),
  };
}

/**
 * The tweaks of a rule's actions, by name. One without a value is true, as the spec says of `highlight`.
 * @see https://spec.matrix.org/v1.19/client-server-api/#actions
 */
export function tweaksOf(actions: readonly PushAction[]): JsonObject {
  const tweaks = actions.filter((action) => typeof action !== "string");
  return Object.fromEntries(tweaks.map(({ set_tweak, value }) => [set_tweak, value ?? true]));
}
