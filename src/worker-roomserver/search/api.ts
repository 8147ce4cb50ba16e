import type { JsonObject } from "../../matrix/json.ts";
import type { JsonBytes, Requester } from "../node/requester.ts";

/**
 * `search_categories.room_events` of a search, checked for its shape at the door.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search
 */
export type RoomEventsCriteria = {
  search_term: string;
  keys?: readonly ("content.body" | "content.name" | "content.topic")[] | undefined;
  filter?: JsonObject | undefined;
  order_by?: "rank" | "recent" | undefined;
  event_context?:
    | {
        before_limit?: number | undefined;
        after_limit?: number | undefined;
        include_profile?: boolean | undefined;
      }
    | undefined;
  include_state?: boolean | undefined;
  groupings?: { group_by?: readonly { key: "room_id" | "sender" }[] | undefined } | undefined;
};

export interface Search {
  /**
   * Searches the rooms that the user is in, and those that they have left up to their leaving, as of when it was asked:
   * it waits until the index has come that far. The answer is that of `POST /search`.
   *
   * Costs a pass over the words of those rooms (100,000 messages take some milliseconds where they are in memory, and
   * 8 MB of reads where not), and the events of the page with what was asked to be shown beside them.
   * @throws MatrixError M_INVALID_PARAM, M_BAD_JSON (400)
   * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search
   */
  roomEvents(
    requester: Requester,
    criteria: RoomEventsCriteria,
    nextBatch: string | undefined,
  ): Promise<JsonBytes>;
}
