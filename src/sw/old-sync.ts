import * as v from "valibot";
import { booleanParameter, limitParameter, roomParams, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { timeoutParameter, untilGone } from "./sync.ts";

/** With `room_id` it is the API for looking into a room, else that which `/sync` took the place of. */
const events = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/events",
    auth: "guest",
    limit: "read",
    query: v.object({
      from: v.optional(v.string()),
      timeout: timeoutParameter,
      room_id: v.optional(v.string()),
    }),
    response: writtenAnswer,
  },
  ({ node, requester, query: { from, timeout, room_id: roomId }, signal }) =>
    untilGone(node.oldSync, signal, (name) =>
      node.oldSync.events(requester, { from, timeout: signal.aborted ? 0 : timeout, roomId }, name),
    ),
);

const initialSync = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/initialSync",
    auth: "user",
    limit: "read",
    query: v.object({ limit: limitParameter(10, 100), archived: v.optional(booleanParameter) }),
    response: writtenAnswer,
  },
  ({ node, requester, query: { limit, archived = false } }) =>
    node.oldSync.initialSync(requester, { limit, archived }),
);

const oneEvent = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/events/{eventId}",
    auth: "user",
    limit: "read",
    params: v.object({ eventId: v.string() }),
    response: writtenAnswer,
  },
  ({ node, requester, params }) => node.oldSync.event(requester, params.eventId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync */
const roomInitialSync = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/initialSync",
    auth: "guest",
    limit: "read",
    params: roomParams,
    response: writtenAnswer,
  },
  ({ node, requester, params }) => node.oldSync.roomInitialSync(requester, params.roomId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events */
export const oldSyncEndpoints: Endpoint[] = [events, initialSync, oneEvent, roomInitialSync];
