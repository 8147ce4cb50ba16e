import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver */
const turnServer = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/voip/turnServer",
    auth: "guest",
    limit: "read",
    response: jsonObject,
  },
  ({ node, requester }) => node.voip.turnServer(requester),
);

export const voipEndpoints: Endpoint[] = [turnServer];
