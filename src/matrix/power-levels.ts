import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { type CreateEvent, roomCreators } from "./room-creators.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/** The properties of `m.room.power_levels` that are one level each, with what they are when absent. */
export const defaultLevels = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const;

export type LevelName = keyof typeof defaultLevels;
export const levelNames = Object.keys(defaultLevels) as readonly LevelName[];

/** Who may do what in a room. Levels are integers; creators from v12 on have `Infinity`. */
export interface PowerLevels {
  /** The level of a user, whether in the room or not. */
  userLevel(userId: string): number;
  /** The *required power level* of an event; membership events are governed by `level` instead. */
  requiredFor(type: string, isState: boolean): number;
  /** One of the levels that stand alone, such as the *invite level*. */
  level(name: LevelName): number;
  /** The level that mentions of this kind (`room` for `@room`) need to notify. */
  notificationLevel(key: string): number;
}

/**
 * Reads `m.room.power_levels`. A value that cannot be read as a level counts as absent: the auth rules keep
 * such values out, but what the state of an old room holds must not break reading it.
 * @param content - the content of the room's power levels event; undefined when the room has none
 * @param create - the room's create event; without it, nobody is taken for a creator
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export function powerLevels(
  content: JsonObject | undefined,
  create: CreateEvent | undefined,
  rules: RoomVersionRules,
): PowerLevels {
  const creators = create === undefined ? [] : roomCreators(create, rules);
  const level = (name: LevelName) => readLevel(content?.[name], rules) ?? defaultLevels[name];
  const entry = (map: string, key: string) => readLevel(ownEntry(content?.[map], key), rules);
  return {
    level,
    userLevel(userId) {
      if (rules.privilegedCreators && creators.includes(userId)) return Number.POSITIVE_INFINITY;
      // Only a room without a power levels event gives its creator a level for being that.
      if (content === undefined && creators.includes(userId)) return 100;
      return entry("users", userId) ?? level("users_default");
    },
    requiredFor(type, isState) {
      return entry("events", type) ?? level(isState ? "state_default" : "events_default");
    },
    notificationLevel(key) {
      return entry("notifications", key) ?? 50;
    },
  };
}

function ownEntry(map: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(map) && Object.hasOwn(map, key) ? map[key] : undefined;
}

/**
 * Reads one level.
 * @returns undefined for what is no level in this room version. Integers always are; up to v9 strings that
 *   hold one decimal integer are too, and up to v5, where JSON is not held to be canonical, floats are, cut
 *   off at the point.
 * @see https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-strings
 * @see https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-floats
 */
export function readLevel(value: JsonValue | undefined, rules: RoomVersionRules): number | undefined {
  if (typeof value === "number") {
    if (rules.strictCanonicalJson) return Number.isSafeInteger(value) ? value : undefined;
    return Number.isFinite(value) ? Math.trunc(value) : undefined;
  }
  if (typeof value === "string" && !rules.integerPowerLevels && integerText.test(value)) {
    const level = Number(value);
    return Number.isSafeInteger(level) ? level : undefined;
  }
  return undefined;
}

const integerText = /^\s*[+-]?[0-9]+\s*$/;
