import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const globalParams = v.object({ userId: v.string(), type: v.string() });
const roomParams = v.object({ userId: v.string(), roomId: v.string(), type: v.string() });
const tagsParams = v.object({ userId: v.string(), roomId: v.string() });
const tagParams = v.object({ userId: v.string(), roomId: v.string(), tag: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype */
const setGlobal = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/user/{userId}/account_data/{type}",
    auth: "user",
    limit: "write",
    params: globalParams,
    body: jsonObject,
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.accountData.set(requester, params.userId, null, params.type, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridaccount_datatype */
const getGlobal = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/user/{userId}/account_data/{type}",
    auth: "user",
    limit: "read",
    params: globalParams,
    response: jsonObject,
  },
  ({ node, requester, params }) => node.accountData.get(requester, params.userId, null, params.type),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype */
const setInRoom = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
    auth: "user",
    limit: "write",
    params: roomParams,
    body: jsonObject,
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.accountData.set(requester, params.userId, params.roomId, params.type, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype */
const getInRoom = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
    auth: "user",
    limit: "read",
    params: roomParams,
    response: jsonObject,
  },
  ({ node, requester, params }) => node.accountData.get(requester, params.userId, params.roomId, params.type),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags */
const tags = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags",
    auth: "user",
    limit: "read",
    params: tagsParams,
    response: v.object({ tags: jsonObject }),
  },
  ({ node, requester, params }) => node.accountData.tags(requester, params.userId, params.roomId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag */
const setTag = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
    auth: "user",
    limit: "write",
    params: tagParams,
    body: jsonObject,
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.accountData.setTag(requester, params.userId, params.roomId, params.tag, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag */
const deleteTag = endpoint(
  {
    method: "DELETE",
    path: "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
    auth: "user",
    limit: "write",
    params: tagParams,
    response: emptyAnswer,
  },
  async ({ node, requester, params }) => {
    await node.accountData.deleteTag(requester, params.userId, params.roomId, params.tag);
    return {};
  },
);

export const accountDataEndpoints: Endpoint[] = [
  setGlobal,
  getGlobal,
  setInRoom,
  getInRoom,
  tags,
  setTag,
  deleteTag,
];
