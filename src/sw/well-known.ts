import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { notFound } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient */
const client = endpoint(
  { method: "GET", path: "/.well-known/matrix/client", auth: "none", limit: "none", response: jsonObject },
  async ({ baseUrl }) => ({ "m.homeserver": { base_url: baseUrl } }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport */
const support = endpoint(
  {
    method: "GET",
    path: "/.well-known/matrix/support",
    auth: "none",
    limit: "read",
    response: v.object({ contacts: v.array(jsonObject), support_page: v.optional(v.string()) }),
  },
  async ({ node }) => {
    const { support } = await node.settings.get();
    if (support === null) throw notFound("The owner of this homeserver names nobody to turn to.");
    return support;
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixpolicy_server */
const policyServer = endpoint(
  {
    method: "GET",
    path: "/.well-known/matrix/policy_server",
    auth: "none",
    limit: "none",
    response: v.never(),
  },
  () => Promise.reject(notFound("There is no policy server here.")),
);

export const wellKnownEndpoints: Endpoint[] = [client, support, policyServer];
