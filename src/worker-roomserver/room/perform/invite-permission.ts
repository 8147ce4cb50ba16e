import { MatrixError } from "../../../matrix/errors.ts";
import { blocksInvites, INVITE_PERMISSION } from "../../../matrix/invite-permission.ts";
import type { RoomParts } from "../parts.ts";

/**
 * One record; of users of other servers nothing is known here, and their servers decide.
 * @throws MatrixError M_INVITE_BLOCKED (403)
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-8
 */
export async function requireTakesInvites({ accountData }: RoomParts, userId: string): Promise<void> {
  if (blocksInvites(await accountData.stored(userId, INVITE_PERMISSION))) {
    throw new MatrixError("M_INVITE_BLOCKED", 403, `${userId} takes no invites.`);
  }
}
