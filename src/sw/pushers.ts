import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
const pushers = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushers",
    auth: "user",
    limit: "read",
    response: v.object({
      pushers: v.array(
        v.object({
          pushkey: v.string(),
          kind: v.literal("http"),
          app_id: v.string(),
          app_display_name: v.string(),
          device_display_name: v.string(),
          profile_tag: v.optional(v.string()),
          lang: v.string(),
          data: jsonObject,
        }),
      ),
    }),
  },
  async ({ node, requester }) => ({ pushers: await node.push.pushers(requester) }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
const setPusher = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/pushers/set",
    auth: "user",
    limit: "write",
    body: v.object({
      pushkey: v.string(),
      kind: v.nullable(v.string()),
      app_id: v.string(),
      app_display_name: v.optional(v.string()),
      device_display_name: v.optional(v.string()),
      profile_tag: v.optional(v.string()),
      lang: v.optional(v.string()),
      data: v.optional(jsonObject),
      append: v.optional(v.boolean()),
    }),
    response: emptyAnswer,
  },
  async ({ node, requester, body }) => {
    await node.push.setPusher(requester, body);
    return {};
  },
);

export const pushersEndpoints: Endpoint[] = [pushers, setPusher];
