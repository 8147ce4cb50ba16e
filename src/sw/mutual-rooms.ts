import * as v from "valibot";
import { type Endpoint, endpoint } from "./endpoint.ts";

const mutualRooms = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/mutual_rooms",
    auth: "user",
    limit: "read",
    query: v.object({ user_id: v.string(), from: v.optional(v.string()) }),
    response: v.object({
      joined: v.array(v.string()),
      count: v.number(),
      next_batch: v.optional(v.string()),
    }),
  },
  ({ node, requester, query }) => node.roomDirectory.mutualRooms(requester, query.user_id, query.from),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#mutual-rooms */
export const mutualRoomsEndpoints: Endpoint[] = [mutualRooms];
