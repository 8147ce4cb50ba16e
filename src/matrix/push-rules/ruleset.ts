import type { JsonValue } from "../json.ts";

/** The kinds of rules, the most important first. */
export const RULE_KINDS = ["override", "content", "room", "sender", "underride"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** The server's rule that comes before all others, also the user's own. */
export const MASTER_RULE = ".m.rule.master";

/** A condition of any kind, known or not; its members are looked at when it is tried. */
export type PushCondition = { kind: string; [parameter: string]: JsonValue | undefined };

/** `notify`, or `{ set_tweak, value? }`; others have no effect. */
export type PushAction = string | { set_tweak: string; value?: JsonValue };

/** @see https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export type PushRule = {
  rule_id: string;
  default: boolean;
  enabled: boolean;
  /** Of `override` and `underride` rules. */
  conditions?: PushCondition[];
  /** Of `content` rules. */
  pattern?: string;
  actions: PushAction[];
};

/** A user's rules: of each kind, the most important first. Plain JSON. */
export type Ruleset = { [kind in RuleKind]: PushRule[] };
