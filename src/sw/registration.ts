import * as v from "valibot";
import { MatrixError } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { loginAnswer, sessionRequest } from "./login.ts";
import { jsonObject } from "./schemas.ts";
import { doneOrChallenge } from "./uia.ts";

const register = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/register",
    auth: "none",
    limit: "register",
    query: v.object({ kind: v.optional(v.picklist(["user", "guest"]), "user") }),
    body: v.object({
      ...sessionRequest,
      auth: v.optional(jsonObject),
      username: v.optional(v.string()),
      password: v.optional(v.string()),
      inhibit_login: v.optional(v.boolean()),
    }),
    optionalBody: true,
    response: loginAnswer,
  },
  async ({ node, request, query, body }) =>
    doneOrChallenge(await node.users.register(request, query.kind, body)),
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

/** Nobody is known by an address here, so none can be used to register. */
const requestToken = (medium: "email" | "msisdn") =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/register/${medium}/requestToken`,
      auth: "none",
      limit: "register",
      response: v.never(),
    },
    async () => {
      throw new MatrixError(
        "M_THREEPID_DENIED",
        403,
        "This server takes no e-mail addresses or phone numbers.",
      );
    },
  );

/** @see https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration */
export const registrationEndpoints: Endpoint[] = [
  register,
  available,
  tokenValidity,
  requestToken("email"),
  requestToken("msisdn"),
];
