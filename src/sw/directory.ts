import * as v from "valibot";
import { emptyAnswer, roomParams } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const aliasPath = "/_matrix/client/v3/directory/room/{roomAlias}";
const aliasParams = v.object({ roomAlias: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias */
const resolveAlias = endpoint(
  {
    method: "GET",
    path: aliasPath,
    auth: "none",
    limit: "read",
    params: aliasParams,
    response: v.object({ room_id: v.string(), servers: v.array(v.string()) }),
  },
  ({ node, params }) => node.room.resolveAlias(params.roomAlias),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias */
const setAlias = endpoint(
  {
    method: "PUT",
    path: aliasPath,
    auth: "user",
    limit: "write",
    params: aliasParams,
    body: v.object({ room_id: v.string() }),
    response: emptyAnswer,
  },
  async ({ node, request, requester, params, body }) => {
    await node.room.setAlias(request, requester, params.roomAlias, body.room_id);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias */
const deleteAlias = endpoint(
  {
    method: "DELETE",
    path: aliasPath,
    auth: "user",
    limit: "write",
    params: aliasParams,
    response: emptyAnswer,
  },
  async ({ node, request, requester, params }) => {
    await node.room.deleteAlias(request, requester, params.roomAlias);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases */
const aliasesOf = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/aliases",
    auth: "user",
    limit: "read",
    params: roomParams,
    response: v.object({ aliases: v.array(v.string()) }),
  },
  ({ node, requester, params }) => node.room.aliasesOf(requester, params.roomId),
);

const visibilityPath = "/_matrix/client/v3/directory/list/room/{roomId}";
const visibility = v.picklist(["public", "private"]);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid */
const getVisibility = endpoint(
  {
    method: "GET",
    path: visibilityPath,
    auth: "none",
    limit: "read",
    params: roomParams,
    response: v.object({ visibility }),
  },
  ({ node, params }) => node.room.visibility(params.roomId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid */
const setVisibility = endpoint(
  {
    method: "PUT",
    path: visibilityPath,
    auth: "user",
    limit: "write",
    params: roomParams,
    body: v.object({ visibility: v.optional(visibility, "public") }),
    optionalBody: true,
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.room.setVisibility(requester, params.roomId, body.visibility);
    return {};
  },
);

export const directoryEndpoints: Endpoint[] = [
  resolveAlias,
  setAlias,
  deleteAlias,
  aliasesOf,
  getVisibility,
  setVisibility,
];
