import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { RULE_KINDS } from "./push-rules/ruleset.ts";

/*
 * What of a user's own settings follows them from a room that was upgraded into the one that took its place. Each of
 * these gives the new content, or undefined where there is nothing to change: doing it again changes nothing.
 * https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */

/** From which room into which. */
export type Succession = { from: string; to: string };

/** `m.tag` of the new room: as it was in the old one, unless it has tags of its own. */
export function succeedingTags(
  old: JsonObject | undefined,
  present: JsonObject | undefined,
): JsonObject | undefined {
  return present === undefined ? old : undefined;
}

/** `m.direct`: a chat with somebody goes on as one with them. The old room stays in it, as clients look there too. */
export function succeedingDirectChats(
  content: JsonObject | undefined,
  { from, to }: Succession,
): JsonObject | undefined {
  let isChanged = false;
  const follow = (rooms: JsonValue | undefined): JsonValue | undefined => {
    if (!Array.isArray(rooms) || !rooms.includes(from) || rooms.includes(to)) return rooms;
    isChanged = true;
    return [...rooms, to];
  };
  const chats = Object.entries(content ?? {}).map(([userId, rooms]) => [userId, follow(rooms)]);
  return isChanged ? (Object.fromEntries(chats) as JsonObject) : undefined;
}

/**
 * `m.push_rules` as stored: each rule for the old room is there for the new one as well, right behind it. Such are rules
 * of the kind `room`, and those with a condition that asks for the room's id (by which clients mute a room).
 */
export function succeedingPushRules(
  content: JsonObject | undefined,
  succession: Succession,
): JsonObject | undefined {
  const global = content?.global;
  if (!isJsonObject(global)) return undefined;
  let isChanged = false;
  const kinds: JsonObject = {};
  for (const kind of RULE_KINDS) {
    const rules = global[kind];
    if (!Array.isArray(rules)) continue;
    const ids = new Set(rules.map((rule) => (isJsonObject(rule) ? rule.rule_id : undefined)));
    kinds[kind] = rules.flatMap((rule) => {
      const successor = isJsonObject(rule) ? succeedingRule(rule, succession) : undefined;
      if (successor === undefined || ids.has(successor.rule_id)) return [rule];
      isChanged = true;
      ids.add(successor.rule_id);
      return [rule, successor];
    });
  }
  return isChanged ? { ...content, global: { ...global, ...kinds } } : undefined;
}

/** Undefined for a rule that is about something else, and for the server's own. */
function succeedingRule(rule: JsonObject, { from, to }: Succession): JsonObject | undefined {
  const { rule_id: id, conditions } = rule;
  if (typeof id !== "string" || id.startsWith(".")) return undefined;
  const isForRoom = (condition: JsonValue): condition is JsonObject =>
    isJsonObject(condition) &&
    condition.kind === "event_match" &&
    condition.key === "room_id" &&
    condition.pattern === from;
  const isConditional = Array.isArray(conditions) && conditions.some(isForRoom);
  if (id !== from && !isConditional) return undefined;
  return {
    ...rule,
    rule_id: id.includes(from) ? id.replaceAll(from, to) : `${id}_${to}`,
    ...(Array.isArray(conditions) && {
      conditions: conditions.map((one) => (isForRoom(one) ? { ...one, pattern: to } : one)),
    }),
  };
}
