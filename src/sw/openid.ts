import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const requestToken = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/user/{userId}/openid/request_token",
    auth: "user",
    limit: "write",
    params: v.object({ userId: v.string() }),
    body: jsonObject,
    optionalBody: true,
    response: v.object({
      access_token: v.string(),
      token_type: v.literal("Bearer"),
      matrix_server_name: v.string(),
      expires_in: v.number(),
    }),
  },
  ({ node, request, requester, params }) => node.users.createOpenIdToken(request, requester, params.userId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#openid */
export const openIdEndpoints: Endpoint[] = [requestToken];
