import { MatrixError, notFound } from "../../../matrix/errors.ts";
import type { Requester } from "../../node/requester.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { endRoom } from "../purge/end-room.ts";
import { inRoom } from "../purge/in-room.ts";
import { isPresent, type LocalMember, localMembers } from "../purge/members.ts";

/**
 * `POST /rooms/{roomId}/forget`. A room that nobody of this server is in, and that all who once were have forgotten,
 * serves nobody: it is removed in the same unit. What is world-readable is no exception, as nobody is left to whom its
 * id is known; but a room that can be found from here, by an alias or in the directory, stays, since somebody may
 * yet join it.
 *
 * In the room's lock: whoever comes in at the same moment either is there when this looks, or finds no room.
 * Costs one row, and for the last one to forget the memberships of the room.
 * @throws MatrixError M_NOT_FOUND (404) for who was never there, M_UNKNOWN (400) for who is
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget
 */
export function forget(parts: RoomParts, requester: Requester, roomId: string): Promise<void> {
  const { userId } = requester;
  return inRoom(parts, roomId, async (basis) => {
    const { storage, memberships } = parts;
    const room = await storage.names.find(roomId);
    const info = room === undefined ? undefined : (await memberships.of(userId)).get(room);
    if (room === undefined || info === undefined) throw notFound("You have never been in the room.");
    const user = await storage.names.intern(userId);
    const self = { userId, user, info };
    if (isPresent(self)) throw new MatrixError("M_UNKNOWN", 400, "Leave the room before you forget it.");
    const members = await removable(parts, room, roomId, userId);
    if (members !== undefined) return endRoom(parts, { room, roomId, basis }, members);
    await storage.commit((write) => memberships.set(write, userId, user, { ...info, forgotten: true }), {
      basis,
    });
  });
}

/**
 * Removes a room that nobody has any use for, as `forget` says: for when its last alias is gone, or it is taken out of
 * the directory.
 */
export function removeForgotten(parts: RoomParts, roomId: string): Promise<void> {
  return inRoom(parts, roomId, async (basis) => {
    const room = await parts.storage.names.find(roomId);
    const members = room === undefined ? undefined : await removable(parts, room, roomId);
    if (room !== undefined && members !== undefined) await endRoom(parts, { room, roomId, basis }, members);
  });
}

/**
 * @param forgetting - a user who is about to forget the room
 * @returns the users of this server who were in the room, if all of them have forgotten it and nobody can find it
 */
async function removable(
  parts: RoomParts,
  room: Nid,
  roomId: string,
  forgetting?: string,
): Promise<LocalMember[] | undefined> {
  const { storage, memberships, author } = parts;
  // In memory for most rooms, so that it is asked first.
  const suffix = `:${author.serverName}`;
  for (const userId of await memberships.joined(room)) if (userId.endsWith(suffix)) return undefined;
  const [row, published, aliases] = await Promise.all([
    storage.get("rooms", room),
    storage.get("published", room),
    storage.keysFromIndex("aliases", "room", IDBKeyRange.only(roomId), 1),
  ]);
  if (row === undefined || published !== undefined || aliases.length > 0) return undefined;
  const members = await localMembers(parts, room);
  const isDone = (member: LocalMember) =>
    !isPresent(member) && (member.info.forgotten || member.userId === forgetting);
  return members.every(isDone) ? members : undefined;
}
