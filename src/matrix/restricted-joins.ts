import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/**
 * Whether a join rule lets users in who are in another room: `restricted` from v8 on, `knock_restricted` from v10.
 * @see https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms
 */
export function isRestricted(joinRule: JsonValue | undefined, rules: RoomVersionRules): boolean {
  if (joinRule === "restricted") return rules.restrictedJoins;
  return joinRule === "knock_restricted" && rules.knockRestricted;
}

/**
 * The rooms whose members may join, as `allow` of a room's join rules names them, each once. Conditions of other
 * kinds, and what has not the form of one, let nobody in.
 * @param content - that of `m.room.join_rules`; unchecked
 * @returns unchecked texts
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomjoin_rules
 */
export function allowedRooms(content: JsonObject): string[] {
  const conditions = Array.isArray(content.allow) ? content.allow.filter(isJsonObject) : [];
  const rooms = conditions.filter(({ type }) => type === "m.room_membership").map(({ room_id }) => room_id);
  return [...new Set(rooms.filter((roomId) => typeof roomId === "string"))];
}
