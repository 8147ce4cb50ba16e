import * as v from "valibot";
import { emptyAnswer, reasonBody, roomIdAnswer, roomParams } from "../door/schemas.ts";
import { forbidden, missingParam } from "../matrix/errors.ts";
import type { MembershipAction } from "../worker-roomserver/room/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const names = v.optional(v.union([v.string(), v.array(v.string())]), []);

/** Servers that may be in a room that is not here; `server_name` is what `via` used to be called. */
const serversQuery = v.object({ via: names, server_name: names });
const serversOf = ({ via, server_name: earlier }: v.InferOutput<typeof serversQuery>) =>
  [via, earlier].flat();

/**
 * Entering a room by its id or an alias.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias
 */
const enter = (action: "join" | "knock") =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/${action}/{roomIdOrAlias}`,
      auth: action === "join" ? "guest" : "user",
      limit: "write",
      params: v.object({ roomIdOrAlias: v.string() }),
      query: serversQuery,
      body: reasonBody,
      optionalBody: true,
      response: roomIdAnswer,
    },
    ({ node, request, requester, params, query, body }) =>
      node.room.changeMembership(request, requester, {
        roomId: params.roomIdOrAlias,
        action,
        target: requester.userId,
        servers: serversOf(query),
        reason: body.reason,
      }),
  );

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
const joinById = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/join",
    auth: "guest",
    limit: "write",
    params: roomParams,
    query: serversQuery,
    body: reasonBody,
    optionalBody: true,
    response: roomIdAnswer,
  },
  ({ node, request, requester, params, query, body }) =>
    node.room.changeMembership(request, requester, {
      roomId: params.roomId,
      action: "join",
      target: requester.userId,
      servers: serversOf(query),
      reason: body.reason,
    }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave */
const leave = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/leave",
    auth: "guest",
    limit: "write",
    params: roomParams,
    body: reasonBody,
    optionalBody: true,
    response: emptyAnswer,
  },
  async ({ node, request, requester, params, body }) => {
    await node.room.changeMembership(request, requester, {
      roomId: params.roomId,
      action: "leave",
      target: requester.userId,
      reason: body.reason,
    });
    return {};
  },
);

/**
 * What is done to somebody else.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidunban
 */
const moderate = (action: Extract<MembershipAction, "kick" | "ban" | "unban">) =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/rooms/{roomId}/${action}`,
      auth: "user",
      limit: "write",
      params: roomParams,
      body: v.object({ user_id: v.string(), reason: v.optional(v.string()) }),
      response: emptyAnswer,
    },
    async ({ node, request, requester, params, body }) => {
      await node.room.changeMembership(request, requester, {
        roomId: params.roomId,
        action,
        target: body.user_id,
        reason: body.reason,
      });
      return {};
    },
  );

/**
 * By user id, or by third-party id, which needs an identity server to look it up.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 * @see https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite
 */
const invite = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/invite",
    auth: "user",
    limit: "write",
    params: roomParams,
    body: v.object({
      user_id: v.optional(v.string()),
      medium: v.optional(v.string()),
      reason: v.optional(v.string()),
    }),
    response: emptyAnswer,
  },
  async ({ node, request, requester, params, body }) => {
    if (body.user_id === undefined) {
      if (body.medium === undefined) throw missingParam('"user_id" is missing.');
      throw forbidden("This homeserver invites by user ID only, not by e-mail or phone.");
    }
    await node.room.changeMembership(request, requester, {
      roomId: params.roomId,
      action: "invite",
      target: body.user_id,
      reason: body.reason,
    });
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget */
const forget = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/rooms/{roomId}/forget",
    auth: "user",
    limit: "write",
    params: roomParams,
    response: emptyAnswer,
  },
  async ({ node, requester, params }) => {
    await node.room.forget(requester, params.roomId);
    return {};
  },
);

export const membershipEndpoints: Endpoint[] = [
  enter("join"),
  enter("knock"),
  joinById,
  leave,
  moderate("kick"),
  moderate("ban"),
  moderate("unban"),
  invite,
  forget,
];
