import * as v from "valibot";
import { forbidden } from "../matrix/errors.ts";
import type { Node } from "../worker-roomserver/node/api.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import type { Relays } from "../worker-roomserver/relay/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { emptyAnswer, jsonObject } from "./schemas.ts";

/*
 * The relays of this homeserver, for its owner's page. Each is named by its URL as it was given out, percent-encoded. What
 * comes through a relay reaches none of this: see relayed.ts.
 */

const path = "/_hearth/v1/relays";
const ofRelay = {
  path: `${path}/{url}`,
  auth: "user",
  limit: "write",
  params: v.object({ url: v.string() }),
} as const;

/** @throws {MatrixError} M_FORBIDDEN (403) */
function owners({ node, requester }: { node: Node; requester: Requester }): Relays {
  if (!requester.admin) throw forbidden("Only the owner of this homeserver decides about its relays.");
  return node.relays;
}

const list = endpoint(
  { method: "GET", path, auth: "user", limit: "read", response: v.object({ relays: v.array(jsonObject) }) },
  async (context) => ({ relays: await owners(context).states() }),
);

const add = endpoint(
  {
    method: "POST",
    path,
    auth: "user",
    limit: "write",
    body: v.object({ url: v.string() }),
    response: jsonObject,
  },
  (context) => owners(context).add(context.body.url),
);

const remove = endpoint({ method: "DELETE", ...ofRelay, response: emptyAnswer }, async (context) => {
  await owners(context).remove(context.params.url);
  return {};
});

/** `wake_up`: a PushSubscription's JSON; null: none any more. What is left out stays as it is. */
const change = endpoint(
  {
    method: "PUT",
    ...ofRelay,
    body: v.object({
      client_api: v.optional(v.boolean()),
      wake_up: v.optional(
        v.nullable(
          v.object({ endpoint: v.string(), keys: v.object({ p256dh: v.string(), auth: v.string() }) }),
        ),
      ),
    }),
    response: emptyAnswer,
  },
  async (context) => {
    const relays = owners(context);
    const { client_api: clientApi, wake_up: wakeUp } = context.body;
    if (clientApi !== undefined) await relays.setClientApi(context.params.url, clientApi);
    if (wakeUp !== undefined) await relays.setWakeUp(context.params.url, wakeUp);
    return {};
  },
);

const retry = endpoint(
  { method: "POST", ...ofRelay, path: `${path}/{url}/retry`, response: emptyAnswer },
  async (context) => {
    await owners(context).retry(context.params.url);
    return {};
  },
);

const claimName = endpoint(
  {
    method: "POST",
    ...ofRelay,
    path: `${path}/{url}/name`,
    body: v.object({ label: v.string() }),
    response: v.object({ name: v.string() }),
  },
  async (context) => ({ name: await owners(context).claimName(context.params.url, context.body.label) }),
);

export const relaysEndpoints: Endpoint[] = [list, add, remove, change, retry, claimName];
