import { blocksInvites, INVITE_PERMISSION } from "../../matrix/invite-permission.ts";
import type { Readers } from "./readers.ts";

/**
 * A user's rooms without the invites, where they want none. One record, if there is an invite.
 * @see https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 */
export async function withoutBlockedInvites<Room>(
  { accountData }: Pick<Readers, "accountData">,
  userId: string,
  rooms: Room[],
  isInvite: (room: Room) => boolean,
): Promise<Room[]> {
  if (!rooms.some(isInvite)) return rooms;
  const isBlocked = blocksInvites(await accountData.stored(userId, INVITE_PERMISSION));
  return isBlocked ? rooms.filter((room) => !isInvite(room)) : rooms;
}
