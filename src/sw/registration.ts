import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { loginAnswer, serviceLogin, sessionRequest, tokenOfService } from "./login.ts";
import { refusedValidations } from "./threepid-validation.ts";
import { doneOrChallenge } from "./uia.ts";

const register = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/register",
    auth: "appServiceOrNone",
    limit: "register",
    query: v.object({ kind: v.optional(v.picklist(["user", "guest"]), "user") }),
    body: v.object({
      ...sessionRequest,
      auth: v.optional(jsonObject),
      type: v.optional(v.string()),
      username: v.optional(v.string()),
      password: v.optional(v.string()),
      inhibit_login: v.optional(v.boolean()),
      guest_access_token: v.optional(v.string()),
    }),
    optionalBody: true,
    response: loginAnswer,
    revokes: true, // the tokens of a guest who has become a user say so
  },
  async ({ node, request, requester, withoutRequester, query, body }) => {
    if (body.type !== serviceLogin)
      return doneOrChallenge(await node.users.register(request, query.kind, body));
    if (requester === undefined) throw tokenOfService(withoutRequester);
    return node.users.registerForService(request, requester, body);
  },
);

const available = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/register/available",
    auth: "none",
    limit: "read",
    query: v.object({ username: v.string() }),
    response: v.object({ available: v.literal(true) }),
  },
  ({ node, query }) => node.users.isUsernameAvailable(query.username),
);

const tokenValidity = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/register/m.login.registration_token/validity",
    auth: "none",
    limit: "login",
    query: v.object({ token: v.string() }),
    response: v.object({ valid: v.boolean() }),
  },
  ({ node, query }) => node.users.isRegistrationTokenValid(query.token),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration */
export const registrationEndpoints: Endpoint[] = [
  register,
  available,
  tokenValidity,
  ...refusedValidations("/register", "M_THREEPID_DENIED", 403),
];
