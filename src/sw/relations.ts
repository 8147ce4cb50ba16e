import * as v from "valibot";
import { booleanParameter, limitParameter, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const query = v.object({
  dir: v.optional(v.picklist(["b", "f"]), "b"),
  from: v.optional(v.string()),
  to: v.optional(v.string()),
  limit: limitParameter(50, 500),
  recurse: v.optional(booleanParameter),
});

const base = "/_matrix/client/v1/rooms/{roomId}/relations/{eventId}";
/** Of all kinds, of one kind, and of one kind and type. */
const paths = [base, `${base}/{relType}`, `${base}/{relType}/{eventType}`] as const;
const params = v.object({
  roomId: v.string(),
  eventId: v.string(),
  relType: v.optional(v.string()),
  eventType: v.optional(v.string()),
});

/**
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltype
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltypeeventtype
 */
const relations = (path: (typeof paths)[number]) =>
  endpoint(
    { method: "GET", path, auth: "guest", limit: "read", params, query, response: writtenAnswer },
    ({ node, requester, params: { roomId, eventId, relType, eventType }, query: asked }) =>
      node.room.relations(requester, roomId, eventId, { ...asked, relType, eventType }),
  );

export const relationsEndpoints: Endpoint[] = paths.map(relations);
