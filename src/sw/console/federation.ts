import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import type { DestinationForOwner } from "../../worker-roomserver/federation/api.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, reads, timestamp, writes } from "./schemas.ts";

const relays = v.pipe(v.array(v.string()), v.description("URLs of relays"));

const destination = v.strictObject({
  server_name: v.string(),
  failures: v.pipe(count, v.description("requests that failed since one did not")),
  failing_since: v.optional(timestamp),
  retry_at: v.optional(
    v.pipe(timestamp, v.description("not asked before that, unless something comes from there")),
  ),
  last_success: v.optional(timestamp),
  last_error: v.pipe(v.string(), v.description('a sentence, "" where there was none')),
  waiting_pdus: v.pipe(count, v.description("events that it is still to be sent")),
  waiting_edus: v.pipe(
    count,
    v.description("messages to devices and other EDUs that it is still to be sent"),
  ),
  catching_up: v.pipe(
    v.boolean(),
    v.description("whether it gets only the newest events of some rooms when it is back"),
  ),
  relays: v.pipe(relays, v.description("where transactions go when it cannot be reached")),
});

const path = "/_hearth/v1/federation/destinations";
const params = v.object({ serverName: v.string() });

const list = endpoint(
  {
    ...reads,
    operationId: "listDestinations",
    summary: "The servers that something is or was sent to, and how each stands.",
    path,
    response: v.strictObject({ destinations: v.array(destination) }),
  },
  async ({ node }) => ({ destinations: (await node.federation.destinations()).map(shown) }),
);

const retry = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "retryDestination",
    summary: "Tries to reach a server now.",
    path: `${path}/{serverName}/retry`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params: { serverName } }) => {
    await node.federation.retryNow(serverName);
    return {};
  },
);

const setRelays = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "setDestinationRelays",
    summary: "By what relays a server is known to be reachable, beside those that it names itself.",
    path: `${path}/{serverName}/relays`,
    params,
    body: v.object({ relays }),
    response: emptyAnswer,
  },
  async ({ node, params: { serverName }, body }) => {
    await node.federation.setRelays(serverName, body.relays);
    return {};
  },
);

function shown(state: DestinationForOwner): v.InferOutput<typeof destination> {
  const { waiting, relays: known } = state;
  return {
    server_name: state.serverName,
    failures: state.failures,
    // Absent is what was never so.
    ...(state.failingSince > 0 && { failing_since: state.failingSince }),
    ...(state.retryAt > 0 && { retry_at: state.retryAt }),
    ...(state.lastSuccess > 0 && { last_success: state.lastSuccess }),
    last_error: state.lastError,
    waiting_pdus: waiting.pdus,
    waiting_edus: waiting.edus,
    catching_up: state.catchingUp,
    relays: known,
  };
}

export const federationEndpoints: Endpoint[] = [list, retry, setRelays];
