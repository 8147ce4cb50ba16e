import * as v from "valibot";
import { limitParameter, roomParams, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads */
const threads = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/rooms/{roomId}/threads",
    auth: "guest",
    limit: "read",
    params: roomParams,
    query: v.object({
      include: v.optional(v.picklist(["all", "participated"]), "all"),
      from: v.optional(v.string()),
      limit: limitParameter(20, 100),
    }),
    response: writtenAnswer,
  },
  ({ node, requester, params, query }) => node.room.threads(requester, params.roomId, query),
);

export const threadsEndpoints: Endpoint[] = [threads];
