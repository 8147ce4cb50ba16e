import * as v from "valibot";
import { jsonObject, roomIdAnswer, roomParams, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
const createRoom = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/createRoom",
    auth: "user",
    limit: "write",
    body: v.object({
      visibility: v.optional(v.picklist(["public", "private"])),
      room_alias_name: v.optional(v.string()),
      name: v.optional(v.string()),
      topic: v.optional(v.string()),
      invite: v.optional(v.array(v.string())),
      invite_3pid: v.optional(v.array(jsonObject)),
      room_version: v.optional(v.string()),
      creation_content: v.optional(jsonObject),
      initial_state: v.optional(
        v.array(v.object({ type: v.string(), state_key: v.optional(v.string()), content: jsonObject })),
      ),
      preset: v.optional(v.picklist(["private_chat", "public_chat", "trusted_private_chat"])),
      is_direct: v.optional(v.boolean()),
      power_level_content_override: v.optional(jsonObject),
    }),
    response: roomIdAnswer,
  },
  ({ node, request, requester, body }) => node.room.createRoom(request, requester, body),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms */
const joinedRooms = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/joined_rooms",
    auth: "guest",
    limit: "read",
    response: v.object({ joined_rooms: v.array(v.string()) }),
  },
  ({ node, requester }) => node.room.joinedRooms(requester),
);

const membership = v.optional(v.picklist(["join", "invite", "knock", "leave", "ban"]));

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
const members = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/members",
    auth: "guest",
    limit: "read",
    params: roomParams,
    query: v.object({ at: v.optional(v.string()), membership, not_membership: membership }),
    response: writtenAnswer,
  },
  ({ node, requester, params, query }) => node.room.members(requester, params.roomId, query),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members */
const joinedMembers = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/joined_members",
    auth: "user",
    limit: "read",
    params: roomParams,
    response: writtenAnswer,
  },
  ({ node, requester, params }) => node.room.joinedMembers(requester, params.roomId),
);

export const roomsEndpoints: Endpoint[] = [createRoom, joinedRooms, members, joinedMembers];
