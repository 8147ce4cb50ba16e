import * as v from "valibot";
import { emptyAnswer, roomParams } from "../door/schemas.ts";
import { invalidParam } from "../matrix/errors.ts";
import type { ReceiptRequest } from "../worker-roomserver/receipts/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const TYPES = ["m.fully_read", "m.read", "m.read.private"] as const;

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
const receipt = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}",
    auth: "user",
    limit: "write",
    params: v.object({ roomId: v.string(), receiptType: v.picklist(TYPES), eventId: v.string() }),
    body: v.object({ thread_id: v.optional(v.unknown()) }),
    optionalBody: true,
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    const { roomId, receiptType: type, eventId } = params;
    await node.receipts.set(requester, [{ roomId, type, eventId, threadId: threadOf(body.thread_id) }]);
    return {};
  },
);

/** Of a wrong type it is, by the spec, a wrong parameter and not JSON of a wrong shape. */
function threadOf(threadId: unknown): string | undefined {
  if (threadId === undefined || typeof threadId === "string") return threadId;
  throw invalidParam('"thread_id" must be a string.');
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers */
const readMarkers = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/read_markers",
    auth: "user",
    limit: "write",
    params: roomParams,
    body: v.object({
      "m.fully_read": v.optional(v.string()),
      "m.read": v.optional(v.string()),
      "m.read.private": v.optional(v.string()),
    }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    const wanted: ReceiptRequest[] = [];
    for (const type of TYPES) {
      const eventId = body[type];
      if (eventId !== undefined) wanted.push({ roomId: params.roomId, type, eventId });
    }
    await node.receipts.set(requester, wanted);
    return {};
  },
);

export const receiptsEndpoints: Endpoint[] = [receipt, readMarkers];
