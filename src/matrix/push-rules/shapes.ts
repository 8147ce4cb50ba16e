import { isJsonObject, type JsonValue } from "../json.ts";
import type { PushAction, PushCondition } from "./ruleset.ts";

/** What may be asked for: `dont_notify` and `coalesce` are of the past, and do nothing. */
const ACTIONS: readonly unknown[] = ["notify", "dont_notify", "coalesce"];

/** The parameters of conditions that are strings, wherever they stand. */
const TEXTS = ["key", "pattern", "is"] as const;

/** Whether a stored action can be carried out: what is unknown has no effect. */
export const isAction = (action: JsonValue): action is PushAction =>
  typeof action === "string" || (isJsonObject(action) && typeof action.set_tweak === "string");

/** Whether a client may ask for an action. @see https://spec.matrix.org/v1.19/client-server-api/#actions */
export const isKnownAction = (action: JsonValue): action is PushAction =>
  ACTIONS.includes(action) || (isJsonObject(action) && typeof action.set_tweak === "string");

/**
 * Whether this is a condition, of whatever kind: one that is not known never holds. A parameter of the spec's must be of
 * the spec's type.
 * @see https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function isCondition(condition: JsonValue): condition is PushCondition {
  if (!isJsonObject(condition) || typeof condition.kind !== "string") return false;
  if (!TEXTS.every((name) => condition[name] === undefined || typeof condition[name] === "string"))
    return false;
  return condition.value === undefined || condition.value === null || typeof condition.value !== "object";
}
