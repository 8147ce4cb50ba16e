import * as v from "valibot";
import { jsonObject, objectOf, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const roomEvents = objectOf({
  search_term: v.string(),
  keys: v.optional(v.array(v.picklist(["content.body", "content.name", "content.topic"]))),
  filter: v.optional(jsonObject),
  order_by: v.optional(v.picklist(["rank", "recent"])),
  event_context: v.optional(
    objectOf({
      before_limit: v.optional(count),
      after_limit: v.optional(count),
      include_profile: v.optional(v.boolean()),
    }),
  ),
  include_state: v.optional(v.boolean()),
  groupings: v.optional(
    objectOf({ group_by: v.optional(v.array(objectOf({ key: v.picklist(["room_id", "sender"]) }))) }),
  ),
});

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search */
const search = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/search",
    auth: "user",
    limit: "read",
    query: v.object({ next_batch: v.optional(v.string()) }),
    body: objectOf({ search_categories: objectOf({ room_events: v.optional(roomEvents) }) }),
    response: writtenAnswer,
  },
  async ({ node, requester, query, body }) => {
    const { room_events: criteria } = body.search_categories;
    // Other categories are none that the spec knows.
    if (criteria === undefined) return { search_categories: {} };
    return node.search.roomEvents(requester, criteria, query.next_batch);
  },
);

export const searchEndpoints: Endpoint[] = [search];
