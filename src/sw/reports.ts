import * as v from "valibot";
import { emptyAnswer, roomParams } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const reason = v.string();
/** Gone from the spec since v1.18; clients that are older still send it. */
const score = v.optional(
  v.pipe(
    v.number(),
    v.integer("should be an integer"),
    v.minValue(-100, "is -100 to 0"),
    v.maxValue(0, "is -100 to 0"),
  ),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport */
const reportRoom = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/report",
    auth: "user",
    limit: "write",
    params: roomParams,
    body: v.object({ reason }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.reports.report(requester, { roomId: params.roomId }, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid */
const reportEvent = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/report/{eventId}",
    auth: "user",
    limit: "write",
    params: v.object({ roomId: v.string(), eventId: v.string() }),
    body: v.object({ reason: v.optional(reason), score }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.reports.report(requester, params, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport */
const reportUser = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/users/{userId}/report",
    auth: "user",
    limit: "write",
    params: v.object({ userId: v.string() }),
    body: v.object({ reason }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.reports.report(requester, params, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#reporting-content */
export const reportEndpoints: Endpoint[] = [reportRoom, reportEvent, reportUser];
