import { isServerName } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { isToldRoomShown } from "../../../matrix/room-summary.ts";
import type { ToldRoom } from "../../../matrix/told-rooms.ts";
import type { ToldHierarchy } from "../api.ts";
import type { RoomParts } from "../parts.ts";

/** Servers of an event's `via` that are kept for a room. */
const KEPT_SERVERS = 5;

/** A room that nobody here is in, and how to learn of it. */
export type RoomElsewhere = {
  roomId: string;
  /** Servers that may know it. */
  via: readonly string[];
  /** What the server of the space above has told of it already. */
  told?: ToldRoom;
};

type Parts = Pick<RoomParts, "questions" | "memberships" | "storage">;

/**
 * What others tell of a room, for a user to whom it may be shown. A room that is no space, and has been told of
 * already, costs no request; one that nobody can be asked about is as it was told.
 */
export async function roomElsewhere(
  parts: Parts,
  { roomId, via, told }: RoomElsewhere,
  { userId, suggestedOnly }: { userId: string; suggestedOnly: boolean },
): Promise<ToldHierarchy | undefined> {
  const isLeaf = told !== undefined && told.room_type !== "m.space";
  const asked = isLeaf ? undefined : await parts.questions.hierarchy(roomId, via, suggestedOnly);
  const found = asked ?? (told && alone(told));
  if (found === undefined) return undefined;
  const { memberships, storage } = parts;
  const rooms = await memberships.of(userId);
  const nid = await storage.names.find(roomId);
  const joined = [...rooms.values()].filter(({ membership }) => membership === "join");
  const isShown = isToldRoomShown(found.room, {
    joined: new Set(joined.map((room) => room.roomId)),
    isInvited: nid !== undefined && rooms.get(nid)?.membership === "invite",
  });
  return isShown ? found : undefined;
}

const alone = (room: ToldRoom): ToldHierarchy => ({
  room: { ...room, children_state: [] },
  children: [],
  inaccessible_children: [],
});

/** The servers that an `m.space.child` event names. */
export function viaOf(content: JsonObject): string[] {
  return Array.isArray(content.via) ? content.via.filter(isServerName).slice(0, KEPT_SERVERS) : [];
}

/** A server that is likely to know a room of which nothing but the id is known; rooms from version 12 on name none. */
export function serverInId(roomId: string): string[] {
  const server = roomId.slice(roomId.indexOf(":") + 1);
  return roomId.includes(":") && isServerName(server) ? [server] : [];
}
