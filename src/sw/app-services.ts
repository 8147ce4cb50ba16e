import * as v from "valibot";
import { emptyAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/application-service-api/#post_matrixclientv1appserviceappserviceidping */
const ping = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v1/appservice/{appserviceId}/ping",
    auth: "appService",
    limit: "write",
    params: v.object({ appserviceId: v.string() }),
    body: v.object({ transaction_id: v.optional(v.string()) }),
    optionalBody: true,
    response: v.object({ duration_ms: v.number() }),
  },
  ({ node, requester, params, body }) =>
    node.appServices.ping(requester, params.appserviceId, body.transaction_id),
);

/** @see https://spec.matrix.org/v1.19/application-service-api/#put_matrixclientv3directorylistappservicenetworkidroomid */
const networkVisibility = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/directory/list/appservice/{networkId}/{roomId}",
    auth: "appService",
    limit: "write",
    params: v.object({ networkId: v.string(), roomId: v.string() }),
    body: v.object({ visibility: v.picklist(["public", "private"]) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.appServices.setNetworkVisibility(requester, { ...params, ...body });
    return {};
  },
);

export const appServiceEndpoints: Endpoint[] = [ping, networkVisibility];
