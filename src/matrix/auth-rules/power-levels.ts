import { isUserId } from "../identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Pdu } from "../pdu.ts";
import { defaultLevels, levelNames, readLevel } from "../power-levels.ts";
import { roomCreators } from "../room-creators.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { Room } from "./room.ts";
import type { RuleName } from "./rule-numbers.ts";
import { allow, reject, type Verdict } from "./verdict.ts";

/** Rule 9: `m.room.power_levels`. */
export function authorisePowerLevels(pdu: Pdu, room: Room): Verdict {
  const malformed = checkForm(pdu.content, room.rules) ?? checkCreators(pdu.content, room);
  if (malformed) return malformed;

  // 9.4, v1: the room has no power levels yet.
  const current = room.state("m.room.power_levels", "")?.pdu.content;
  if (current === undefined) return allow;

  return (
    compareLevels(current, pdu, room) ??
    compareMaps(current, pdu, room) ??
    compareUsers(current, pdu, room) ??
    allow
  );
}

/** Rules 9.1 to 9.3: whether every value can be read. */
function checkForm(content: JsonObject, rules: RoomVersionRules): Verdict | undefined {
  // 9.1, v10: a level is not an integer. Before v10 the pages do not say what a level that cannot be read does;
  // as nothing can be compared with it, the event is rejected where it would be compared.
  const levelRule: RuleName = rules.integerPowerLevels ? "power_levels.integers" : "power_levels.levels.new";
  for (const name of levelNames) {
    if (content[name] !== undefined && readLevel(content[name], rules) === undefined) {
      return reject(levelRule, rules, `The level ${name} is not an integer.`);
    }
  }

  // 9.2, v10: events or notifications is not an object of integers. Before v10, as above.
  const mapRule: RuleName = rules.integerPowerLevels
    ? "power_levels.integer_maps"
    : "power_levels.events_new.value";
  for (const name of comparedMaps(rules)) {
    if (content[name] !== undefined && !isMapOfLevels(content[name], rules)) {
      return reject(mapRule, rules, `${name} must be an object whose values are integers.`);
    }
  }

  // 9.3, v1: users is not an object of integers whose keys are user ids. Left out it is an empty one, as all
  // servers read it.
  const { users } = content;
  if (users !== undefined && !(isMapOfLevels(users, rules) && Object.keys(users).every(isUserId))) {
    return reject("power_levels.users", rules, "users must be an object from user ids to integers.");
  }
  return undefined;
}

/** Rule 9.4 of v12: creators have no level. */
function checkCreators(content: JsonObject, { rules, create }: Room): Verdict | undefined {
  const { users } = content;
  if (!rules.privilegedCreators || !isJsonObject(users)) return undefined;
  if (!roomCreators(create.pdu, rules).some((creator) => Object.hasOwn(users, creator))) return undefined;
  return reject("power_levels.creators", rules, "Creators of the room cannot be given a level.");
}

/** Rule 9.5: the levels that stand alone. One that is left out has its default. */
function compareLevels(current: JsonObject, pdu: Pdu, { rules, levels }: Room): Verdict | undefined {
  const senderLevel = levels.userLevel(pdu.sender);
  for (const name of levelNames) {
    const before = readLevel(current[name], rules);
    const after = readLevel(pdu.content[name], rules);
    if (before === after) continue;
    // 9.5.1, v1: the current value is higher than the sender's level.
    if ((before ?? defaultLevels[name]) > senderLevel) {
      return reject("power_levels.levels.current", rules, `The level ${name} is above the sender's own.`);
    }
    // 9.5.2, v1: the new value is.
    if ((after ?? defaultLevels[name]) > senderLevel) {
      return reject("power_levels.levels.new", rules, `The sender cannot set ${name} above the own level.`);
    }
  }
  return undefined;
}

/** Rules 9.6 and 9.7: `events` and, from v6 on, `notifications`. */
function compareMaps(current: JsonObject, pdu: Pdu, { rules, levels }: Room): Verdict | undefined {
  const senderLevel = levels.userLevel(pdu.sender);
  for (const name of comparedMaps(rules)) {
    for (const { key, before, after } of changes(current[name], pdu.content[name], rules)) {
      // 9.6.1, v1: the current value of an entry that is changed or removed is higher than the sender's level.
      if (before !== undefined && before > senderLevel) {
        const reason = `The level of ${key} in ${name} is above the sender's own.`;
        return reject("power_levels.events_current.value", rules, reason);
      }
      // 9.7.1, v1: the new value of an entry that is added or changed is.
      if (after !== undefined && after > senderLevel) {
        const reason = `The sender cannot set ${key} in ${name} above the own level.`;
        return reject("power_levels.events_new.value", rules, reason);
      }
    }
  }
  return undefined;
}

/** Rules 9.8 and 9.9: `users`. */
function compareUsers(current: JsonObject, pdu: Pdu, { rules, levels }: Room): Verdict | undefined {
  const senderLevel = levels.userLevel(pdu.sender);
  for (const { key, before, after } of changes(current.users, pdu.content.users, rules)) {
    // 9.8.1, v1: another user's entry is changed or removed, who is not below the sender.
    if (key !== pdu.sender && before !== undefined && before >= senderLevel) {
      return reject("power_levels.users_current.value", rules, `${key} is not below the sender.`);
    }
    // 9.9.1, v1: the new value of an entry is higher than the sender's level.
    if (after !== undefined && after > senderLevel) {
      return reject(
        "power_levels.users_new.value",
        rules,
        `The sender cannot raise ${key} above the own level.`,
      );
    }
  }
  return undefined;
}

/** The maps that are compared entry by entry, users apart: from v6 on, notifications are among them. */
function comparedMaps(rules: RoomVersionRules): readonly string[] {
  return rules.notificationsPowerLevels ? ["events", "notifications"] : ["events"];
}

function isMapOfLevels(value: JsonValue | undefined, rules: RoomVersionRules): value is JsonObject {
  return isJsonObject(value) && Object.values(value).every((level) => readLevel(level, rules) !== undefined);
}

type Change = {
  readonly key: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
};

/** The entries that differ between two maps; a level that is absent is undefined. */
function* changes(
  current: JsonValue | undefined,
  next: JsonValue | undefined,
  rules: RoomVersionRules,
): Generator<Change> {
  const before = levelsByKey(current, rules);
  const after = levelsByKey(next, rules);
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(key) !== after.get(key)) yield { key, before: before.get(key), after: after.get(key) };
  }
}

function levelsByKey(map: JsonValue | undefined, rules: RoomVersionRules): Map<string, number> {
  const levels = new Map<string, number>();
  if (!isJsonObject(map)) return levels;
  for (const [key, value] of Object.entries(map)) {
    const level = readLevel(value, rules);
    if (level !== undefined) levels.set(key, level);
  }
  return levels;
}
