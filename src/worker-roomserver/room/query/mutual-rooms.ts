import { decodeBase64, encodeBase64Url } from "../../../matrix/base64.ts";
import { invalidParam } from "../../../matrix/errors.ts";
import { isNonCompliantUserId, isRoomId, isUserId } from "../../../matrix/identifiers.ts";
import type { Requester } from "../../node/requester.ts";
import type { MutualRooms } from "../api.ts";
import type { RoomParts } from "../parts.ts";

/** Few users share more; an answer stays small for those who do. */
export const mutualRoomsPage = 200;

/**
 * Rooms that the requester and somebody else are both joined to, by their ids' order: so a page follows from the last
 * id of the one before, whatever happens in between.
 */
export async function mutualRooms(
  { storage, memberships }: RoomParts,
  requester: Requester,
  userId: string,
  from: string | undefined,
): Promise<MutualRooms> {
  if (!isUserId(userId) || isNonCompliantUserId(userId)) throw invalidParam('"user_id" is no user ID.');
  if (userId === requester.userId) throw invalidParam('"user_id" is to be somebody else.');
  const after = from === undefined ? "" : roomIdOf(from);
  await storage.settled();
  const [own, others] = await Promise.all([memberships.of(requester.userId), memberships.of(userId)]);
  const shared = [...own.values()]
    .filter(({ room, membership }) => membership === "join" && others.get(room)?.membership === "join")
    .map(({ roomId }) => roomId)
    .sort();
  const rest = shared.filter((roomId) => roomId > after);
  const joined = rest.slice(0, mutualRoomsPage);
  return {
    joined,
    count: shared.length,
    ...(rest.length > joined.length && { next_batch: tokenOf(joined.at(-1)!) }),
  };
}

const tokenOf = (roomId: string) => encodeBase64Url(new TextEncoder().encode(roomId));

/** @throws MatrixError M_INVALID_PARAM (400) */
function roomIdOf(token: string): string {
  const bytes = decodeBase64(token);
  const text = bytes && new TextDecoder().decode(bytes);
  if (isRoomId(text)) return text;
  throw invalidParam('"from" is not a token that this server has given out.');
}
