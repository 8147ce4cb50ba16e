import * as v from "valibot";
import { roomParams } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade */
const upgrade = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/upgrade",
    auth: "user",
    limit: "write",
    params: roomParams,
    body: v.object({
      new_version: v.string(),
      additional_creators: v.optional(v.array(v.string())),
    }),
    response: v.object({ replacement_room: v.string() }),
  },
  ({ node, request, requester, params, body }) =>
    node.room.upgrade(request, requester, {
      roomId: params.roomId,
      newVersion: body.new_version,
      additionalCreators: body.additional_creators,
    }),
);

export const roomUpgradesEndpoints: Endpoint[] = [upgrade];
