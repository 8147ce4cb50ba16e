import { domainOf } from "../../../matrix/domain.ts";
import { forbidden, MatrixError } from "../../../matrix/errors.ts";
import { parseRoomId, parseUserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { type EntryContext, requireEntry } from "./entry.ts";

/**
 * The template of a member event, for a user of the server that asks.
 * @param versions - room versions that server knows; undefined where it need not say
 * @throws MatrixError M_NOT_FOUND (404), M_FORBIDDEN (403), M_INVALID_PARAM and M_INCOMPATIBLE_ROOM_VERSION (400); for a
 *   join that somebody has to authorise also M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN (400)
 */
export async function make(
  context: EntryContext,
  origin: ServerName,
  membership: "join" | "knock" | "leave",
  params: { roomId: string; userId: string },
  versions?: readonly string[],
): Promise<JsonObject> {
  const roomId = parseRoomId(params.roomId);
  const userId = parseUserId(params.userId);
  if (domainOf(userId) !== origin) throw forbidden("The user is not of your server.");
  await requireEntry(context, roomId, origin);
  if (versions !== undefined) await requireVersion(context, roomId, versions);
  const { roomVersion, event } = await context.roomQueries.memberTemplate(roomId, userId, membership);
  return { room_version: roomVersion, event };
}

/** Before anything else that may be in the way: what a server does not know it cannot make sense of. */
async function requireVersion(
  { roomQueries }: EntryContext,
  roomId: string,
  versions: readonly string[],
): Promise<void> {
  const { roomVersion } = await roomQueries.latest(roomId, []);
  if (!versions.includes(roomVersion)) throw incompatibleVersion(roomVersion);
}

export const incompatibleVersion = (roomVersion: string) =>
  new MatrixError("M_INCOMPATIBLE_ROOM_VERSION", 400, `The room has the version ${roomVersion}.`, {
    room_version: roomVersion,
  });
