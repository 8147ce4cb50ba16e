import * as v from "valibot";
import {
  eventIdAnswer,
  jsonObject,
  jsonParameter,
  limitParameter,
  roomParams,
  timestampParameter,
  writtenAnswer,
} from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** Events in one answer, unless the client wants fewer. */
const page = limitParameter(10, 1000);
const eventParams = v.object({ roomId: v.string(), eventId: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
const send = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}",
    auth: "guest",
    limit: "message",
    params: v.object({ roomId: v.string(), eventType: v.string(), txnId: v.string() }),
    query: v.object({ ts: timestampParameter }),
    body: jsonObject,
    response: eventIdAnswer,
  },
  ({ node, requester, params, query, body }) =>
    node.room.sendEvent(requester, {
      ...(requester.appService && { ts: query.ts }),
      roomId: params.roomId,
      type: params.eventType,
      txnId: params.txnId,
      content: body,
    }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid */
const redact = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}",
    auth: "user",
    limit: "message",
    params: v.object({ roomId: v.string(), eventId: v.string(), txnId: v.string() }),
    body: v.pipe(
      jsonObject,
      v.check(
        ({ reason }) => reason === undefined || typeof reason === "string",
        "should have a string as reason",
      ),
    ),
    optionalBody: true,
    response: eventIdAnswer,
  },
  ({ node, requester, params, body }) =>
    node.room.redact(requester, {
      roomId: params.roomId,
      eventId: params.eventId,
      txnId: params.txnId,
      content: body,
    }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid */
const event = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/event/{eventId}",
    auth: "guest",
    limit: "read",
    params: eventParams,
    response: writtenAnswer,
  },
  ({ node, requester, params }) => node.room.event(requester, params.roomId, params.eventId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
const context = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/context/{eventId}",
    auth: "guest",
    limit: "read",
    params: eventParams,
    query: v.object({ limit: page, filter: jsonParameter }),
    response: writtenAnswer,
  },
  ({ node, requester, params, query }) => node.room.context(requester, params.roomId, params.eventId, query),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
const messages = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/messages",
    auth: "guest",
    limit: "read",
    params: roomParams,
    query: v.object({
      dir: v.picklist(["b", "f"]),
      from: v.optional(v.string()),
      to: v.optional(v.string()),
      limit: page,
      filter: jsonParameter,
    }),
    response: writtenAnswer,
  },
  ({ node, requester, params, query }) => node.room.messages(requester, params.roomId, query),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event */
const eventByTime = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/rooms/{roomId}/timestamp_to_event",
    auth: "guest",
    limit: "read",
    params: roomParams,
    query: v.object({
      ts: v.pipe(
        v.string(),
        v.regex(/^-?\d{1,16}$/, "should be a number of milliseconds since 1970"),
        v.transform(Number),
      ),
      dir: v.picklist(["f", "b"]),
    }),
    response: v.object({ event_id: v.string(), origin_server_ts: v.number() }),
  },
  ({ node, requester, params, query }) => node.room.eventByTime(requester, params.roomId, query),
);

export const messagesEndpoints: Endpoint[] = [send, redact, event, context, messages, eventByTime];
