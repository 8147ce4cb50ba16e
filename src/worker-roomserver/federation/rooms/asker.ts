import { forbidden } from "../../../matrix/errors.ts";
import type { FederationContext } from "../context.ts";

/**
 * Lets a server ask about a room: one that has a user in it, and that the room's access control list does not keep out.
 * Who is outside is not told whether the room is known here.
 * @throws MatrixError M_FORBIDDEN (403)
 * @see https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls
 */
export async function requireInRoom(
  { roomQueries }: Pick<FederationContext, "roomQueries">,
  origin: string,
  roomId: string,
): Promise<void> {
  if (!(await roomQueries.isServerIn(roomId, origin))) throw forbidden("Your server is not in the room.");
  if (await roomQueries.isServerAllowed(roomId, origin)) return;
  throw forbidden("The room's access control list does not let your server in.");
}
