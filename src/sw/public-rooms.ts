import * as v from "valibot";
import { countParameter, objectOf, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const path = "/_matrix/client/v3/publicRooms";
const server = v.optional(v.string());

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms */
const publicRooms = endpoint(
  {
    method: "GET",
    path,
    auth: "none",
    limit: "read",
    query: v.object({ limit: countParameter, since: v.optional(v.string()), server }),
    response: writtenAnswer,
  },
  ({ node, query }) => node.roomDirectory.publicRooms(query),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
const searchPublicRooms = endpoint(
  {
    method: "POST",
    path,
    auth: "guest",
    limit: "read",
    query: v.object({ server }),
    body: v.object({
      limit: v.optional(v.number()),
      since: v.optional(v.string()),
      filter: v.optional(
        objectOf({
          generic_search_term: v.optional(v.string()),
          room_types: v.optional(v.array(v.nullable(v.string()))),
        }),
      ),
      include_all_networks: v.optional(v.boolean()),
      third_party_instance_id: v.optional(v.string()),
    }),
    response: writtenAnswer,
  },
  ({ node, query, body }) => node.roomDirectory.publicRooms({ ...body, ...query }),
);

export const publicRoomsEndpoints: Endpoint[] = [publicRooms, searchPublicRooms];
