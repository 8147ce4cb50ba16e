import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
const create = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/user/{userId}/filter",
    auth: "guest",
    limit: "write",
    params: v.object({ userId: v.string() }),
    body: jsonObject,
    response: v.object({ filter_id: v.string() }),
  },
  ({ node, requester, params, body }) => node.accountData.createFilter(requester, params.userId, body),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid */
const get = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/user/{userId}/filter/{filterId}",
    auth: "guest",
    limit: "read",
    params: v.object({ userId: v.string(), filterId: v.string() }),
    response: jsonObject,
  },
  ({ node, requester, params }) => node.accountData.getFilter(requester, params.userId, params.filterId),
);

export const filtersEndpoints: Endpoint[] = [create, get];
