import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { parsePropertyPath } from "../property-paths.ts";
import { containsGlob, containsLiteral, matchesGlob } from "./glob.ts";
import type { PushCondition } from "./ruleset.ts";

/** What conditions ask besides the event. Each is asked only when a condition needs it. */
export interface PushContext {
  /** The display name of the rules' owner in the room, undefined if there is none. */
  displayName(): Promise<string | undefined>;
  /** The number of joined members. */
  memberCount(): Promise<number>;
  /** Whether the event's sender has the level that `notifications` of the power levels wants for `key`. */
  senderMayNotify(key: string): Promise<boolean>;
}

/**
 * Whether a condition holds. One that is not known, or lacks what it needs, never does.
 * @see https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export async function conditionHolds(
  condition: PushCondition,
  event: JsonObject,
  context: PushContext,
): Promise<boolean> {
  const { kind, key, pattern, value, is } = condition;
  switch (kind) {
    case "event_match":
      return typeof key === "string" && typeof pattern === "string" && eventMatches(event, key, pattern);
    case "event_property_is":
      return typeof key === "string" && isSame(property(event, key), value);
    case "event_property_contains": {
      const list = typeof key === "string" ? property(event, key) : undefined;
      return Array.isArray(list) && list.some((item) => isSame(item, value));
    }
    case "contains_display_name": {
      const body = property(event, "content.body");
      const name = typeof body === "string" ? await context.displayName() : undefined;
      // An empty name would be in every body.
      return typeof body === "string" && name !== undefined && name !== "" && containsLiteral(name, body);
    }
    case "room_member_count":
      return typeof is === "string" && countMatches(is, context);
    case "sender_notification_permission":
      return typeof key === "string" && context.senderMayNotify(key);
    default:
      return false;
  }
}

/** `content.body` is searched for the pattern; any other property must match it as a whole. */
export function eventMatches(event: JsonObject, key: string, pattern: string): boolean {
  const value = property(event, key);
  if (typeof value !== "string") return false;
  return key === "content.body" ? containsGlob(pattern, value) : matchesGlob(pattern, value);
}

function property(event: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = event;
  for (const name of parsePropertyPath(path)) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Equal as canonical JSON; objects, arrays and what is not canonical equal nothing. */
function isSame(actual: JsonValue | undefined, wanted: JsonValue | undefined): boolean {
  if (typeof wanted === "number") return Number.isSafeInteger(wanted) && actual === wanted;
  return wanted !== undefined && actual === wanted;
}

async function countMatches(is: string, context: PushContext): Promise<boolean> {
  const parts = /^(==|<=|>=|<|>)?([0-9]+)$/.exec(is);
  if (parts === null) return false;
  const count = await context.memberCount();
  const wanted = Number(parts[2]);
  switch (parts[1]) {
    case "<":
      return count < wanted;
    case ">":
      return count > wanted;
    case "<=":
      return count <= wanted;
    case ">=":
      return count >= wanted;
    default:
      return count === wanted;
  }
}
