import * as v from "valibot";
import { emptyAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** For those who do not say how long they will type; clients repeat themselves within this. */
const USUAL_TIMEOUT_MS = 30_000;

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid */
const typing = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/rooms/{roomId}/typing/{userId}",
    auth: "user",
    limit: "write",
    params: v.object({ roomId: v.string(), userId: v.string() }),
    body: v.object({
      typing: v.boolean(),
      timeout: v.optional(v.pipe(v.number(), v.minValue(0, "should not be below 0")), USUAL_TIMEOUT_MS),
    }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.typing.set(requester, params.roomId, params.userId, body.typing, body.timeout);
    return {};
  },
);

export const typingEndpoints: Endpoint[] = [typing];
