import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { missingParam, notFound } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const fieldPath = "/_matrix/client/v3/profile/{userId}/{keyName}";
const fieldParams = v.object({ userId: v.string(), keyName: v.string() });

const getProfile = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/profile/{userId}",
    auth: "none",
    limit: "read",
    params: v.object({ userId: v.string() }),
    response: jsonObject,
  },
  ({ node, params }) => node.users.profile(params.userId),
);

const getField = endpoint(
  {
    method: "GET",
    path: fieldPath,
    auth: "none",
    limit: "read",
    params: fieldParams,
    response: jsonObject,
  },
  async ({ node, params: { userId, keyName } }) => {
    const profile = await node.users.profile(userId);
    if (!Object.hasOwn(profile, keyName)) throw notFound("This user's profile has no such field.");
    return { [keyName]: profile[keyName] };
  },
);

const putField = endpoint(
  {
    method: "PUT",
    path: fieldPath,
    auth: "guest",
    limit: "write",
    params: fieldParams,
    body: jsonObject,
    response: emptyAnswer,
  },
  async ({ node, requester, params: { userId, keyName }, body }) => {
    if (!Object.hasOwn(body, keyName)) throw missingParam(`"${keyName}" is missing.`);
    await node.users.setProfileField(requester, userId, keyName, body[keyName]);
    return {};
  },
);

const deleteField = endpoint(
  {
    method: "DELETE",
    path: fieldPath,
    auth: "guest",
    limit: "write",
    params: fieldParams,
    response: emptyAnswer,
  },
  async ({ node, requester, params }) => {
    await node.users.setProfileField(requester, params.userId, params.keyName, undefined);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#profiles */
export const profileEndpoints: Endpoint[] = [getProfile, getField, putField, deleteField];
