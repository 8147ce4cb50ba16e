import { isUserId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { defaultLevels, levelNames, readLevel } from "./power-levels.ts";
import type { CreateEvent } from "./room-creators.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/*
 * What a room that is upgraded hands on to the one that takes its place, and what it keeps.
 * https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */

/**
 * The types, with an empty state key, whose contents go over as they are. Power levels do too, but have to be made to
 * fit. Types outside of the Matrix namespace stay: clients may go by who sent them.
 */
export const transferredTypes = [
  "m.room.server_acl",
  "m.room.encryption",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.name",
  "m.room.topic",
  "m.room.avatar",
] as const;

/** A room as far as its version and its creators go. */
type Side = { readonly rules: RoomVersionRules; readonly creators: readonly string[] };

/** @param predecessor - its create event; `lastEvent`: "" where that is not to be named */
export function replacementCreateContent(
  predecessor: { roomId: string; create: CreateEvent; lastEvent: string },
  { rules, creators }: Side,
): JsonObject {
  const { roomId, create, lastEvent } = predecessor;
  const [creator, ...additional] = creators;
  return {
    room_version: rules.id,
    predecessor: { room_id: roomId, ...(lastEvent !== "" && { event_id: lastEvent }) },
    ...(typeof create.content.type === "string" && { type: create.content.type }),
    ...(create.content["m.federate"] === false && { "m.federate": false }),
    ...(!rules.creatorIsSender && creator !== undefined && { creator }),
    ...(rules.privilegedCreators && additional.length > 0 && { additional_creators: additional }),
  };
}

/**
 * The power levels of the room that replaces another. Levels are integers, whatever they were; what cannot be read as a
 * level is left out, as it had no effect. Creators who stand above all levels have none; where the new version has no
 * such creators, those of the old room get the highest level that anything in it takes.
 * @param content - what the auth rules go by in the old room
 */
export function transferredPowerLevels(content: JsonObject, from: Side, to: Side): JsonObject {
  const levels: JsonObject = {};
  for (const name of levelNames) {
    const level = readLevel(content[name], from.rules);
    if (level !== undefined) levels[name] = level;
  }
  for (const name of ["events", "notifications"]) {
    if (isJsonObject(content[name])) levels[name] = readableLevels(content[name], from.rules);
  }
  const former = readableLevels(content.users, from.rules);
  const users = Object.entries(former).filter(
    ([userId]) => isUserId(userId) && !(to.rules.privilegedCreators && to.creators.includes(userId)),
  );
  if (from.rules.privilegedCreators && !to.rules.privilegedCreators) {
    const highest = Math.max(100, ...numbersIn(levels), ...numbersIn(levels.events), ...numbersIn(former));
    users.push(...from.creators.map((userId): [string, number] => [userId, highest]));
  }
  return { ...levels, users: Object.fromEntries(users) };
}

/**
 * The power levels of a room that has been replaced: ordinary members neither speak nor invite in it any more.
 * @returns undefined where they could not before
 */
export function closedPowerLevels(content: JsonObject, rules: RoomVersionRules): JsonObject | undefined {
  const usersDefault = readLevel(content.users_default, rules) ?? defaultLevels.users_default;
  const required = Math.max(50, Math.min(usersDefault + 1, Number.MAX_SAFE_INTEGER));
  const raised = (["events_default", "invite"] as const).filter(
    (name) => (readLevel(content[name], rules) ?? defaultLevels[name]) < required,
  );
  if (raised.length === 0) return undefined;
  return { ...content, ...Object.fromEntries(raised.map((name) => [name, required])) };
}

/**
 * Divides the content of `m.room.canonical_alias` when aliases go from one room to another.
 * @returns the contents of the new room's event and of the old one's; undefined where there is nothing to tell
 */
export function dividedAliases(
  content: JsonObject,
  moved: ReadonlySet<string>,
): { taken: JsonObject; kept: JsonObject } | undefined {
  const { alias, alt_aliases: alternatives, ...rest } = content;
  const isMoved = (value: JsonValue | undefined) => typeof value === "string" && moved.has(value);
  const list = Array.isArray(alternatives) ? alternatives : [];
  const [taken, kept] = [list.filter(isMoved), list.filter((value) => !isMoved(value))];
  if (!isMoved(alias) && taken.length === 0) return undefined;
  return {
    taken: { ...(isMoved(alias) && { alias }), ...(taken.length > 0 && { alt_aliases: taken }) },
    kept: {
      ...rest,
      ...(alias !== undefined && !isMoved(alias) && { alias }),
      ...(kept.length > 0 && { alt_aliases: kept }),
    },
  };
}

/** A ban as it is told again in another room, by somebody else. */
export function transferredBan(content: JsonObject): JsonObject {
  const kept = ["reason", "displayname", "avatar_url"].filter((name) => typeof content[name] === "string");
  return { ...Object.fromEntries(kept.map((name) => [name, content[name]])), membership: "ban" };
}

function readableLevels(map: JsonValue | undefined, rules: RoomVersionRules): { [key: string]: number } {
  if (!isJsonObject(map)) return {};
  const levels = Object.entries(map).map(([key, value]) => [key, readLevel(value, rules)] as const);
  return Object.fromEntries(levels.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function numbersIn(map: JsonValue | undefined): number[] {
  return isJsonObject(map) ? Object.values(map).filter((value) => typeof value === "number") : [];
}
