import * as v from "valibot";
import { jsonObject, limitParameter } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** A page that asks for nothing in particular, and the most that one gets. */
const DEFAULT_LIMIT = 20;
const MOST = 100;
/** Browsers stop a service worker that owes an answer for longer. */
const LONGEST_WAIT_MS = 25_000;

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications */
const notifications = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/notifications",
    auth: "user",
    limit: "read",
    query: v.object({
      from: v.optional(v.string()),
      limit: limitParameter(DEFAULT_LIMIT, MOST),
      only: v.optional(v.string()),
    }),
    response: v.object({
      next_token: v.optional(v.string()),
      notifications: v.array(
        v.object({
          actions: v.array(v.unknown()),
          event: jsonObject,
          read: v.boolean(),
          room_id: v.string(),
          ts: v.number(),
        }),
      ),
    }),
  },
  ({ node, requester, query }) =>
    node.push.notifications(requester, {
      from: query.from,
      limit: query.limit,
      onlyHighlights: query.only === "highlight",
    }),
);

/**
 * What this browser is to show to the user, as it comes: a long poll, for the page that this homeserver is in. Its owner's
 * other devices have pushers. `from` is `next` of the last answer; without it nothing is shown.
 */
const watch = endpoint(
  {
    method: "GET",
    path: "/_hearth/v1/notifications",
    auth: "guest",
    limit: "read",
    query: v.object({ from: v.optional(v.string()), timeout: limitParameter(0, LONGEST_WAIT_MS) }),
    response: v.object({
      next: v.string(),
      notifications: v.array(
        v.object({
          room_id: v.string(),
          event_id: v.string(),
          type: v.string(),
          sender: v.string(),
          sender_display_name: v.optional(v.string()),
          room_name: v.optional(v.string()),
          content: jsonObject,
          ts: v.number(),
          tweaks: jsonObject,
        }),
      ),
      read: v.array(v.string()),
    }),
  },
  ({ node, requester, query }) => node.push.watch(requester, query.from, query.timeout),
);

export const notificationsEndpoints: Endpoint[] = [notifications, watch];
