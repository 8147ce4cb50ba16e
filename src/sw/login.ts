import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { MatrixError } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { doneOrChallenge } from "./uia.ts";

/** What a client that gets a new access token may say of its device. */
export const sessionRequest = {
  device_id: v.optional(v.string()),
  initial_device_display_name: v.optional(v.string()),
  refresh_token: v.optional(v.boolean()),
};

/** The access token of a new login, absent where none was wanted, with what belongs to it. */
export const loginAnswer = v.object({
  user_id: v.string(),
  device_id: v.optional(v.string()),
  access_token: v.optional(v.string()),
  refresh_token: v.optional(v.string()),
  expires_in_ms: v.optional(v.number()),
});

/** How an application service registers its users, and logs them in. */
export const serviceLogin = "m.login.application_service";

/** The error for a service that does not show its token: one of somebody else is not known as such. */
export function tokenOfService(why: MatrixError | undefined): MatrixError {
  if (why !== undefined && why.errcode === "M_MISSING_TOKEN") return why;
  return new MatrixError("M_UNKNOWN_TOKEN", 401, "This is not the as_token of an application service.");
}

const flows = [
  { type: "m.login.password" },
  { type: "m.login.token", get_login_token: true },
  { type: serviceLogin },
];

const getLogin = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/login",
    auth: "none",
    limit: "read",
    response: v.object({
      flows: v.array(v.object({ type: v.string(), get_login_token: v.optional(v.boolean()) })),
    }),
  },
  async () => ({ flows }),
);

const postLogin = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/login",
    auth: "appServiceOrNone",
    limit: "login",
    body: v.object({
      ...sessionRequest,
      type: v.string(),
      identifier: v.optional(jsonObject),
      user: v.optional(v.string()),
      medium: v.optional(v.string()),
      address: v.optional(v.string()),
      password: v.optional(v.string()),
      token: v.optional(v.string()),
    }),
    response: loginAnswer,
    revokes: true, // a device that logs in again loses its earlier tokens
  },
  async ({ node, request, requester, withoutRequester, body }) => {
    if (body.type !== serviceLogin) return node.users.login(request, body);
    if (requester === undefined) throw tokenOfService(withoutRequester);
    return node.users.loginForService(request, requester, body);
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
const getToken = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v1/login/get_token",
    auth: "user",
    limit: "login",
    body: v.object({ auth: v.optional(jsonObject) }),
    optionalBody: true,
    response: v.object({ login_token: v.string(), expires_in_ms: v.number() }),
  },
  async ({ node, request, requester, body }) =>
    doneOrChallenge(await node.users.createLoginToken(request, requester, body.auth)),
);

const refresh = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/refresh",
    auth: "none",
    limit: "login",
    body: v.object({ refresh_token: v.string() }),
    response: v.object({ access_token: v.string(), refresh_token: v.string(), expires_in_ms: v.number() }),
    revokes: true, // tokens of an earlier refresh that nobody has used
  },
  ({ node, request, body }) => node.users.refresh(request, body.refresh_token),
);

const logout = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/logout",
    auth: "guest",
    limit: "write",
    response: emptyAnswer,
    revokes: true,
    evenLocked: true,
  },
  async ({ node, requester }) => {
    await node.users.logout(requester);
    return {};
  },
);

const logoutAll = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/logout/all",
    auth: "guest",
    limit: "write",
    response: emptyAnswer,
    revokes: true,
    evenLocked: true,
  },
  async ({ node, requester }) => {
    await node.users.logoutAll(requester);
    return {};
  },
);

/** Session management. @see https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export const loginEndpoints: Endpoint[] = [getLogin, postLogin, getToken, refresh, logout, logoutAll];
