import * as v from "valibot";
import { emptyAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const params = v.object({ userId: v.string() });
const presences = v.picklist(["online", "offline", "unavailable"]);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3presenceuseridstatus */
const set = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/presence/{userId}/status",
    auth: "user",
    limit: "write",
    params,
    body: v.object({ presence: presences, status_msg: v.nullish(v.string()) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params: { userId }, body }) => {
    await node.presence.set(requester, userId, body.presence, body.status_msg ?? undefined);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus */
const get = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/presence/{userId}/status",
    auth: "user",
    limit: "read",
    params,
    response: v.object({
      presence: presences,
      last_active_ago: v.optional(v.number()),
      currently_active: v.optional(v.boolean()),
      status_msg: v.optional(v.string()),
    }),
  },
  ({ node, requester, params: { userId } }) => node.presence.get(requester, userId),
);

export const presenceEndpoints: Endpoint[] = [set, get];
