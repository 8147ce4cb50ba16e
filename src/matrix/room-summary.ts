import { isRoomId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { allowedRooms, isRestricted } from "./restricted-joins.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/**
 * What the public directory tells of a room. What is not set is left out.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
 */
export type PublishedRoom = {
  room_id: string;
  num_joined_members: number;
  world_readable: boolean;
  guest_can_join: boolean;
  join_rule: string;
  name?: string;
  topic?: string;
  canonical_alias?: string;
  avatar_url?: string;
  room_type?: string;
};

/**
 * What a room tells of itself to who may come in.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export type RoomSummary = PublishedRoom & {
  room_version: string;
  encryption?: string;
  allowed_room_ids?: string[];
};

/** The types whose events, with an empty state key, a summary is made of. */
export const summaryTypes = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.name",
  "m.room.topic",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.encryption",
] as const;
export type SummaryType = (typeof summaryTypes)[number];

/** The contents of those of these events that a room has; unchecked. */
export type SummaryState = { readonly [type in SummaryType]?: JsonObject | undefined };

/** What is asked of a room's state and of who is in it. */
export type SummarisedRoom = {
  roomId: string;
  rules: RoomVersionRules;
  /** Users that are joined. */
  joined: number;
  state: SummaryState;
};

/** Values of the wrong type count as not set. */
export function publishedRoom({ roomId, joined, state }: SummarisedRoom): PublishedRoom {
  return {
    room_id: roomId,
    num_joined_members: joined,
    world_readable: isWorldReadable(state),
    guest_can_join: state["m.room.guest_access"]?.guest_access === "can_join",
    join_rule: joinRule(state),
    ...optional("name", state["m.room.name"]?.name),
    ...optional("topic", plainTopic(state["m.room.topic"])),
    ...optional("canonical_alias", state["m.room.canonical_alias"]?.alias),
    ...optional("avatar_url", state["m.room.avatar"]?.url),
    ...optional("room_type", state["m.room.create"]?.type),
  };
}

export function roomSummary(room: SummarisedRoom): RoomSummary {
  const { rules, state } = room;
  const allowed = roomsThatLetIn(state, rules);
  return {
    ...publishedRoom(room),
    room_version: rules.id,
    ...optional("encryption", state["m.room.encryption"]?.algorithm),
    ...(allowed.length > 0 && { allowed_room_ids: allowed }),
  };
}

/**
 * Whether anybody, known or not, may be told what the room is called: they could read it, join it, or knock. A join
 * rule that the room's version does not have lets nobody in.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export function isShownToAll(state: SummaryState, rules: RoomVersionRules): boolean {
  if (isWorldReadable(state)) return true;
  const rule = joinRule(state);
  if (rule === "knock") return rules.knocking;
  if (rule === "knock_restricted") return rules.knockRestricted;
  return rule === "public";
}

/**
 * Whether a room that another server tells of may be shown to a user: that server knows only which of its users may come
 * in that this server could have.
 * @param user - rooms that the user is joined to, and whether they are invited to this one
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export function isToldRoomShown(
  {
    world_readable,
    join_rule,
    allowed_room_ids: allowed = [],
  }: Pick<RoomSummary, "world_readable" | "join_rule" | "allowed_room_ids">,
  user: { joined: ReadonlySet<string>; isInvited: boolean },
): boolean {
  if (world_readable || user.isInvited) return true;
  if (["public", "knock", "knock_restricted"].includes(join_rule)) return true;
  return allowed.some((roomId) => user.joined.has(roomId));
}

/** The rooms whose members may join this one; none if it is not restricted. */
export function roomsThatLetIn(state: SummaryState, rules: RoomVersionRules): string[] {
  const content = state["m.room.join_rules"];
  if (content === undefined || !isRestricted(content.join_rule, rules)) return [];
  return allowedRooms(content).filter(isRoomId);
}

function isWorldReadable(state: SummaryState): boolean {
  return state["m.room.history_visibility"]?.history_visibility === "world_readable";
}

/** Without a rule nobody joins uninvited. */
function joinRule(state: SummaryState): string {
  const rule = state["m.room.join_rules"]?.join_rule;
  return typeof rule === "string" ? rule : "invite";
}

/**
 * The topic in plain text: without `topic` there is none, whatever else the event holds.
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomtopic
 */
function plainTopic(content: JsonObject | undefined): JsonValue | undefined {
  const block = content?.["m.topic"];
  const forms = isJsonObject(block) ? block["m.text"] : undefined;
  if (typeof content?.topic !== "string" || content.topic === "" || !Array.isArray(forms)) {
    return content?.topic;
  }
  const plain = forms
    .filter(isJsonObject)
    .find(({ mimetype }) => mimetype === undefined || mimetype === "text/plain");
  return typeof plain?.body === "string" ? plain.body : content.topic;
}

/** An empty text says as much as none. */
function optional<K extends string>(key: K, value: JsonValue | undefined): { [key in K]?: string } {
  return typeof value === "string" && value !== "" ? ({ [key]: value } as { [key in K]: string }) : {};
}
