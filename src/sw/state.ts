import * as v from "valibot";
import { eventIdAnswer, jsonObject, roomParams, timestampParameter, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate */
const roomState = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/rooms/{roomId}/state",
    auth: "guest",
    limit: "read",
    params: roomParams,
    response: writtenAnswer,
  },
  ({ node, requester, params }) => node.room.state(requester, params.roomId),
);

/** With an empty state key its slash may be there or not: the router takes no notice of one at the end. */
const paths = [
  "/_matrix/client/v3/rooms/{roomId}/state/{eventType}",
  "/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
] as const;
const stateParams = v.object({
  roomId: v.string(),
  eventType: v.string(),
  stateKey: v.optional(v.string(), ""),
});

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey */
const stateEvent = (path: (typeof paths)[number]) =>
  endpoint(
    {
      method: "GET",
      path,
      auth: "guest",
      limit: "read",
      params: stateParams,
      query: v.object({ format: v.optional(v.picklist(["content", "event"]), "content") }),
      response: jsonObject,
    },
    ({ node, requester, params, query }) =>
      node.room.stateEvent(requester, {
        roomId: params.roomId,
        type: params.eventType,
        stateKey: params.stateKey,
        format: query.format,
      }),
  );

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
const setState = (path: (typeof paths)[number]) =>
  endpoint(
    {
      method: "PUT",
      path,
      auth: "guest",
      limit: "write",
      params: stateParams,
      query: v.object({ ts: timestampParameter }),
      body: jsonObject,
      response: eventIdAnswer,
    },
    ({ node, request, requester, params, query, body }) =>
      node.room.setState(request, requester, {
        ...(requester.appService && { ts: query.ts }),
        roomId: params.roomId,
        type: params.eventType,
        stateKey: params.stateKey,
        content: body,
      }),
  );

export const stateEndpoints: Endpoint[] = [roomState, ...paths.map(stateEvent), ...paths.map(setState)];
