import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { loginAnswer } from "./login.ts";

/** Under the name that Synapse has for it, as that is where bots and test suites look. */
const path = "/_synapse/admin/v1/register";

const nonce = endpoint(
  { method: "GET", path, auth: "none", limit: "read", response: v.object({ nonce: v.string() }) },
  ({ node }) => node.users.sharedSecretNonce(),
);

const register = endpoint(
  {
    method: "POST",
    path,
    auth: "none",
    // Nobody guesses a MAC: who has the secret may make users by the hundred.
    limit: "write",
    // What is wrong with it is told in Synapse's order, by who reads it.
    body: jsonObject,
    response: v.object({ ...loginAnswer.entries, home_server: v.string() }),
  },
  ({ node, request, body }) => node.users.registerWithSecret(request, body),
);

/** @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export const synapseRegistrationEndpoints: Endpoint[] = [nonce, register];
