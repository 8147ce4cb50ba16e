import * as v from "valibot";
import { objectOf } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch */
const search = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/user_directory/search",
    auth: "user",
    limit: "read",
    body: objectOf({
      search_term: v.string(),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
    response: v.object({
      results: v.array(
        v.object({
          user_id: v.string(),
          display_name: v.optional(v.string()),
          avatar_url: v.optional(v.string()),
        }),
      ),
      limited: v.boolean(),
    }),
  },
  ({ node, requester, body }) => node.userDirectory.search(requester, body.search_term, body.limit),
);

export const userDirectoryEndpoints: Endpoint[] = [search];
