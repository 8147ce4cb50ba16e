import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { reads, timestamp, writes } from "./schemas.ts";

/* What comes through a relay reaches none of this: see relayed.ts. */

const relay = v.strictObject({
  url: v.pipe(v.string(), v.description("origin by which it is reached; names the relay")),
  name: v.pipe(v.string(), v.description('what it calls itself, "" until it has been reached')),
  added: v.picklist(["home", "owner"]),
  connection: v.picklist(["connecting", "connected", "waiting", "refused"]),
  words: v.pipe(v.string(), v.description("how it stands, in a sentence or more")),
  kind: v.optional(v.picklist(["webtransport", "websocket", "fetch"])),
  round_trip: v.optional(v.pipe(v.number(), v.description("milliseconds, when it was last measured"))),
  retry_at: v.optional(timestamp),
  mail: v.pipe(
    v.picklist(["none", "coming", "stuck"]),
    v.description("whether what it has kept is being taken in"),
  ),
  client_api: v.pipe(v.boolean(), v.description("whether clients elsewhere may log in through it")),
  names: v.pipe(v.array(v.string()), v.description("names beside the homeserver's own")),
  wake_up: v.pipe(v.boolean(), v.description("whether it wakes a browser when mail comes")),
  wake_up_key: v.optional(v.pipe(v.string(), v.description("VAPID key, base64url"))),
});

const path = "/_hearth/v1/relays";
const params = v.object({ url: v.pipe(v.string(), v.description("as it was given out, percent-encoded")) });

const list = endpoint(
  {
    ...reads,
    operationId: "listRelays",
    summary: "The relays of this homeserver, and how each stands.",
    path,
    response: v.strictObject({ relays: v.array(relay) }),
  },
  async ({ node }) => ({ relays: await node.relays.states() }),
);

const add = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "addRelay",
    summary: "Keeps a session with a relay from now on.",
    path,
    body: v.object({ url: v.string() }),
    response: relay,
  },
  ({ node, body }) => node.relays.add(body.url),
);

const change = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "changeRelay",
    summary: "What a relay may do for this homeserver; what is left out stays as it is.",
    path: `${path}/{url}`,
    params,
    body: v.object({
      client_api: v.optional(v.boolean()),
      wake_up: v.optional(
        v.pipe(
          v.nullable(
            v.object({ endpoint: v.string(), keys: v.object({ p256dh: v.string(), auth: v.string() }) }),
          ),
          v.description("a PushSubscription's JSON; null: none any more"),
        ),
      ),
    }),
    response: emptyAnswer,
  },
  async ({ node, params: { url }, body: { client_api: clientApi, wake_up: wakeUp } }) => {
    if (clientApi !== undefined) await node.relays.setClientApi(url, clientApi);
    if (wakeUp !== undefined) await node.relays.setWakeUp(url, wakeUp);
    return {};
  },
);

const remove = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "removeRelay",
    summary: "Ends the session with a relay for good; not with the one that is the homeserver's home.",
    path: `${path}/{url}`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.relays.remove(params.url);
    return {};
  },
);

const retry = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "retryRelay",
    summary: "Tries to connect to a relay now.",
    path: `${path}/{url}/retry`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.relays.retry(params.url);
    return {};
  },
);

const claimName = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "claimRelayName",
    summary: "Asks a relay for a name beside the homeserver's own.",
    path: `${path}/{url}/name`,
    params,
    body: v.object({ label: v.string() }),
    response: v.strictObject({ name: v.string() }),
  },
  async ({ node, params, body }) => ({ name: await node.relays.claimName(params.url, body.label) }),
);

export const relaysEndpoints: Endpoint[] = [list, add, remove, change, retry, claimName];
