import { isRoomId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { PublishedRoom, RoomSummary } from "./room-summary.ts";
import { compareChildren, isChild, isSuggested } from "./space-children.ts";

/** What another server tells of a room. Those from before v1.15 do not tell its version. */
export type ToldRoom = Omit<RoomSummary, "room_version"> & { room_version?: string };

/** Of a list, as many as a space has, and more than a page of a directory. */
const MAX_ROOMS = 2_000;

/** @returns undefined for what names no room; members of the wrong type are left out */
export function readPublishedRoom(value: JsonValue): PublishedRoom | undefined {
  if (!isJsonObject(value) || !isRoomId(value.room_id)) return undefined;
  const { num_joined_members: members, join_rule: rule } = value;
  return {
    room_id: value.room_id,
    num_joined_members: Number.isSafeInteger(members) ? Math.max(0, Number(members)) : 0,
    world_readable: value.world_readable === true,
    guest_can_join: value.guest_can_join === true,
    // Absent, it is public: server-server API, `GET /publicRooms`.
    join_rule: typeof rule === "string" ? rule : "public",
    ...texts(value, ["name", "topic", "canonical_alias", "avatar_url", "room_type"]),
  };
}

export function readToldRoom(value: JsonValue): ToldRoom | undefined {
  const published = readPublishedRoom(value);
  if (published === undefined || !isJsonObject(value)) return undefined;
  const allowed = Array.isArray(value.allowed_room_ids) ? value.allowed_room_ids.filter(isRoomId) : [];
  return {
    ...published,
    ...texts(value, ["room_version", "encryption"]),
    ...(allowed.length > 0 && { allowed_room_ids: allowed }),
  };
}

/** Rooms of a list, without what names none. */
export const readList = <T>(value: JsonValue | undefined, read: (one: JsonValue) => T | undefined): T[] =>
  (Array.isArray(value) ? value.slice(0, MAX_ROOMS) : []).flatMap((one) => read(one) ?? []);

/** Child events of a space as another server tells them, in their order, each room once. */
export function readChildren(value: JsonValue | undefined, suggestedOnly: boolean): JsonObject[] {
  const children = readList(value, readChild).filter((child) => !suggestedOnly || isSuggested(child));
  const byRoom = new Map(children.map((child) => [child.state_key, child]));
  return [...byRoom.values()].sort(compareChildren);
}

function readChild(value: JsonValue) {
  if (!isJsonObject(value) || value.type !== "m.space.child") return undefined;
  const { type, sender, state_key, content, origin_server_ts } = value;
  if (typeof sender !== "string" || typeof state_key !== "string" || !isJsonObject(content)) return undefined;
  if (typeof origin_server_ts !== "number") return undefined;
  const child = { type, sender, state_key, content, origin_server_ts };
  return isChild(child) ? child : undefined;
}

function texts<K extends string>(value: JsonObject, names: readonly K[]): { [name in K]?: string } {
  const found = names.flatMap((name) => {
    const text = value[name];
    return typeof text === "string" && text !== "" ? [[name, text] as const] : [];
  });
  return Object.fromEntries(found) as { [name in K]?: string };
}
