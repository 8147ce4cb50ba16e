import * as v from "valibot";
import { booleanParameter, countParameter, roomParams, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy */
const hierarchy = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/rooms/{roomId}/hierarchy",
    auth: "guest",
    limit: "read",
    params: roomParams,
    query: v.object({
      suggested_only: v.optional(booleanParameter),
      limit: countParameter,
      max_depth: countParameter,
      from: v.optional(v.string()),
    }),
    response: writtenAnswer,
  },
  ({ node, requester, params, query }) => node.roomDirectory.hierarchy(requester, params.roomId, query),
);

export const spacesEndpoints: Endpoint[] = [hierarchy];
