import { forbidden, MatrixError, notFound } from "../../../matrix/errors.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import type { FederationContext } from "../context.ts";

export type EntryContext = Pick<FederationContext, "roomQueries" | "outOfBand">;

/**
 * Whether a server may ask this one to let its users into a room, or out of it: somebody from here has to be in the room,
 * as nobody else knows how it is.
 * @throws MatrixError M_NOT_FOUND (404), M_FORBIDDEN (403)
 */
export async function requireEntry(context: EntryContext, roomId: string, origin: ServerName): Promise<void> {
  if (!(await context.outOfBand.isInRoom(roomId))) throw notFound("This server is not in the room.");
  if (!(await isWelcome(context, roomId, origin))) throw shutOut();
}

/** Whether the room's list shuts the server out, as far as the room is known here. */
export async function isWelcome(
  { roomQueries }: Pick<EntryContext, "roomQueries">,
  roomId: string,
  origin: ServerName,
): Promise<boolean> {
  try {
    return await roomQueries.isServerAllowed(roomId, origin);
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return true;
    throw error;
  }
}

export const shutOut = () => forbidden("The room's access control list shuts your server out.");
