import * as v from "valibot";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { emptyAnswer, jsonObject } from "./schemas.ts";
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

const flows = [{ type: "m.login.password" }, { type: "m.login.token", get_login_token: true }];

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
    auth: "none",
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
  ({ node, request, body }) => node.users.login(request, body),
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
