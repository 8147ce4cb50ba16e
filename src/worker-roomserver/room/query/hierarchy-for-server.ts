import { notFound } from "../../../matrix/errors.ts";
import { roomSummary } from "../../../matrix/room-summary.ts";
import type { ServerHierarchy } from "../api.ts";
import { strippedEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { isShownToServer, previewOf } from "./preview.ts";
import { spaceChildren } from "./space-children.ts";

/** Rooms below the one asked for of which an answer tells; of others the server may ask by themselves. */
const CHILDREN_TOLD = 100;

/**
 * `GET /_matrix/federation/v1/hierarchy/{roomId}`, for a server that has proved its name. It serves for summaries of
 * rooms too. Costs what `previewOf`, `isShownToServer` and `spaceChildren` cost, for at most `CHILDREN_TOLD` rooms.
 * @throws MatrixError M_NOT_FOUND (404) for a room that nobody here is in or that the server may not be told of
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export function hierarchyForServer(
  parts: RoomParts,
  serverName: string,
  roomId: string,
  suggestedOnly: boolean,
): Promise<ServerHierarchy> {
  return durable(parts.storage, async () => {
    const preview = await previewOf(parts, roomId);
    if (preview === undefined || !(await isShownToServer(parts, preview, serverName))) {
      throw notFound("There is no such room, or it is not open to users of your server.");
    }
    const below = await spaceChildren(parts, preview, suggestedOnly);
    const room = { ...roomSummary(preview), children_state: below.map(strippedEvent) };
    const answer: ServerHierarchy = { room, children: [], inaccessible_children: [] };
    for (const { pdu } of below.slice(0, CHILDREN_TOLD)) {
      const child = await previewOf(parts, pdu.state_key ?? "");
      if (child === undefined) continue;
      if (await isShownToServer(parts, child, serverName)) answer.children.push(roomSummary(child));
      else answer.inaccessible_children.push(child.roomId);
    }
    return answer;
  });
}
