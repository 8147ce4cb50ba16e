import { notFound } from "../../../matrix/errors.ts";
import { parseRoomId } from "../../../matrix/identifiers.ts";
import { roomSummary as summarise } from "../../../matrix/room-summary.ts";
import type { Requester } from "../../node/requester.ts";
import type { RoomSummaryAnswer } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { isShownTo, previewOf } from "./preview.ts";

/**
 * `GET /room_summary/{roomIdOrAlias}`, of a room that somebody here is in. Costs some state entries and once the
 * room's members.
 * @param requester - undefined for a request without an access token
 * @throws MatrixError M_NOT_FOUND (404), also for a room that may not be shown: who is outside is not told which;
 *   M_INVALID_PARAM (400) for what is neither a room id nor an alias
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export function roomSummary(
  parts: RoomParts,
  requester: Requester | undefined,
  roomIdOrAlias: string,
): Promise<RoomSummaryAnswer> {
  return durable(parts.storage, async () => {
    const roomId = roomIdOrAlias.startsWith("#")
      ? (await parts.directory.resolve(roomIdOrAlias)).room_id
      : parseRoomId(roomIdOrAlias);
    const preview = await previewOf(parts, roomId);
    if (preview === undefined || !(await isShownTo(parts, preview, requester?.userId))) {
      throw notFound("There is no such room, or it is not open to you.");
    }
    const summary = summarise(preview);
    if (requester === undefined) return summary;
    const own = (await parts.memberships.of(requester.userId)).get(preview.head.nid);
    return { ...summary, membership: own?.membership ?? "leave" };
  });
}
