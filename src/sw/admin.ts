import * as v from "valibot";
import type { AccountModeration } from "../worker-roomserver/users/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const params = v.object({ userId: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid */
const whois = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/admin/whois/{userId}",
    auth: "user",
    limit: "read",
    params,
    response: v.object({ user_id: v.string(), devices: v.record(v.string(), v.unknown()) }),
  },
  ({ node, requester, params }) => node.users.whois(requester, params.userId),
);

/**
 * Looking up and setting one of an account's two bits.
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid
 */
function moderation(action: "lock" | "suspend", field: keyof AccountModeration): Endpoint[] {
  const path = `/_matrix/client/v1/admin/${action}/{userId}` as const;
  const shape = v.object({ [field]: v.boolean() });
  return [
    endpoint(
      { method: "GET", path, auth: "user", limit: "read", params, response: shape },
      async ({ node, requester, params }) => ({
        [field]: (await node.users.moderation(requester, params.userId))[field],
      }),
    ),
    endpoint(
      {
        method: "PUT",
        path,
        auth: "user",
        limit: "write",
        params,
        body: shape,
        response: shape,
        revokes: true, // the account's tokens say more, or nothing, from now on
      },
      async ({ node, requester, params, body }) => {
        await node.users.moderate(requester, params.userId, body);
        return body;
      },
    ),
  ];
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#server-administration */
export const adminEndpoints: Endpoint[] = [
  whois,
  ...moderation("lock", "locked"),
  ...moderation("suspend", "suspended"),
];
