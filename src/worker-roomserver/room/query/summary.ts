import { notFound } from "../../../matrix/errors.ts";
import { parseRoomId } from "../../../matrix/identifiers.ts";
import { type RoomSummary, roomSummary as summarise } from "../../../matrix/room-summary.ts";
import type { ToldRoom } from "../../../matrix/told-rooms.ts";
import type { Requester } from "../../node/requester.ts";
import type { RoomSummaryAnswer } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { isShownTo, previewOf } from "./preview.ts";
import { roomElsewhere, serverInId } from "./room-elsewhere.ts";

/**
 * `GET /room_summary/{roomIdOrAlias}`. Costs some state entries and once the room's members; for a room that nobody here
 * is in, a request to another server, if it was not asked lately.
 * @param requester - undefined for a request without an access token: for such, nobody else is asked
 * @param via - servers that may know the room
 * @throws MatrixError M_NOT_FOUND (404), also for a room that may not be shown: who is outside is not told which;
 *   M_INVALID_PARAM (400) for what is neither a room id nor an alias; M_UNKNOWN (502, 504) where the server of an alias
 *   is not reached
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export function roomSummary(
  parts: RoomParts,
  requester: Requester | undefined,
  roomIdOrAlias: string,
  via: readonly string[] = [],
): Promise<RoomSummaryAnswer> {
  return durable(parts.storage, async () => {
    const { room_id: roomId, servers } = roomIdOrAlias.startsWith("#")
      ? await parts.directory.resolve(roomIdOrAlias)
      : { room_id: parseRoomId(roomIdOrAlias), servers: serverInId(roomIdOrAlias) };
    const summary = await summaryFor(parts, requester, roomId, [...via, ...servers]);
    if (summary === undefined) throw notFound("There is no such room, or it is not open to you.");
    if (requester === undefined) return summary;
    const nid = await parts.storage.names.find(roomId);
    const memberships = await parts.memberships.of(requester.userId);
    const own = nid === undefined ? undefined : memberships.get(nid);
    return { ...summary, membership: own?.membership ?? "leave" };
  });
}

async function summaryFor(
  parts: RoomParts,
  requester: Requester | undefined,
  roomId: string,
  via: readonly string[],
): Promise<RoomSummary | ToldRoom | undefined> {
  const preview = await previewOf(parts, roomId);
  if (preview !== undefined) {
    return (await isShownTo(parts, preview, requester?.userId)) ? summarise(preview) : undefined;
  }
  if (requester === undefined) return undefined;
  const asked = { userId: requester.userId, suggestedOnly: false };
  const { children_state: _, ...room } = (await roomElsewhere(parts, { roomId, via }, asked))?.room ?? {};
  return "room_id" in room ? room : undefined;
}
