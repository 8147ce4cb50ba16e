import * as v from "valibot";
import type { PageTarget } from "../worker-roomserver/oauth/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { refusedPage, shown } from "./oauth-html.ts";

/*
 * What people see of OAuth: pages without scripts, whose forms come back here. A service worker cannot set a cookie,
 * so there are none: who is signed in is known by a secret in the page's own forms, and no other page can send one.
 */

const optional = v.optional(v.string());
const folder = "/_hearth/oauth";
const aPage = { auth: "none", response: v.never(), refusal: refusedPage } as const;
const looked = { ...aPage, method: "GET", limit: "read" } as const;
const sent = { ...aPage, method: "POST", bodyFormat: "form" } as const;

const credentials = { username: v.string(), password: v.string() };

/** One that is repeated is refused, as RFC 6749 wants. */
const authorizationQuery = v.object({
  response_type: optional,
  client_id: optional,
  redirect_uri: optional,
  scope: optional,
  state: optional,
  response_mode: optional,
  code_challenge: optional,
  code_challenge_method: optional,
  prompt: optional,
  login_hint: optional,
});
const authorize = (query: v.InferOutput<typeof authorizationQuery>): PageTarget => ({
  for: "authorize",
  query,
});

const openAuthorize = endpoint(
  { ...looked, path: `${folder}/authorize`, query: authorizationQuery },
  async ({ node, query }) => {
    const target = authorize(query);
    return shown(await node.oauth.open(target), target);
  },
);

const signInToAuthorize = endpoint(
  {
    ...sent,
    path: `${folder}/authorize`,
    limit: "login",
    query: authorizationQuery,
    body: v.object(credentials),
  },
  async ({ node, query, body }) => {
    const target = authorize(query);
    return shown(await node.oauth.signIn(target, body.username, body.password), target);
  },
);

const createAccount = endpoint(
  {
    ...sent,
    path: `${folder}/create`,
    limit: "register",
    query: authorizationQuery,
    body: v.object({ ...credentials, password_again: v.string(), token: optional }),
  },
  async ({ node, request, query, body }) => {
    const target = authorize(query);
    const { username: user, password, password_again: passwordAgain, token } = body;
    const account = { user, password, passwordAgain, token };
    return shown(await node.oauth.createAccount(request, target, account), target);
  },
);

const device = (userCode: string): PageTarget => ({ for: "device", userCode });

const openDevice = endpoint(
  { ...looked, path: `${folder}/device`, query: v.object({ user_code: v.optional(v.string(), "") }) },
  async ({ node, query }) => {
    const target = device(query.user_code);
    return shown(await node.oauth.open(target), target);
  },
);

const signInToDevice = endpoint(
  {
    ...sent,
    path: `${folder}/device`,
    limit: "login",
    body: v.object({ ...credentials, user_code: v.string() }),
  },
  async ({ node, body }) => {
    const target = device(body.user_code);
    return shown(await node.oauth.signIn(target, body.username, body.password), target);
  },
);

const consent = endpoint(
  {
    ...sent,
    path: `${folder}/consent`,
    limit: "write",
    body: v.object({ session: v.string(), decision: v.picklist(["allow", "deny"]) }),
  },
  async ({ node, body }) => shown(await node.oauth.decide(body.session, body.decision === "allow")),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#account-management-url-parameters */
const accountQuery = v.object({ action: optional, device_id: optional });
const account = ({ action, device_id: deviceId }: v.InferOutput<typeof accountQuery>): PageTarget => ({
  for: "account",
  action,
  deviceId,
});

const openAccount = endpoint(
  { ...looked, path: `${folder}/account`, query: accountQuery },
  async ({ node, query }) => {
    const target = account(query);
    return shown(await node.oauth.open(target), target);
  },
);

const signInToAccount = endpoint(
  {
    ...sent,
    path: `${folder}/account`,
    limit: "login",
    query: accountQuery,
    body: v.object(credentials),
  },
  async ({ node, query, body }) => {
    const target = account(query);
    return shown(await node.oauth.signIn(target, body.username, body.password), target);
  },
);

/** Which account the page is signed in to, and what is to be done with it. */
const act = v.variant("act", [
  v.object({ session: v.string(), act: v.literal("show") }),
  v.object({ session: v.string(), act: v.literal("resetCrossSigning") }),
  v.pipe(
    v.object({ session: v.string(), act: v.literal("rename"), display_name: v.string() }),
    v.transform(({ display_name: displayName, ...rest }) => ({ ...rest, displayName })),
  ),
  v.pipe(
    v.object({ session: v.string(), act: v.literal("endDevice"), device_id: v.string() }),
    v.transform(({ device_id: deviceId, ...rest }) => ({ ...rest, deviceId })),
  ),
  v.pipe(
    v.object({ session: v.string(), act: v.literal("deactivate"), password: v.string(), erase: optional }),
    v.transform(({ erase, ...rest }) => ({ ...rest, erase: erase === "true" })),
  ),
]);

const manage = endpoint(
  { ...sent, path: `${folder}/manage`, limit: "write", body: act, revokes: true },
  async ({ node, request, body }) => {
    const { session, ...wanted } = body;
    return shown(await node.oauth.manage(request, session, wanted));
  },
);

export const oauthPagesEndpoints: Endpoint[] = [
  openAuthorize,
  signInToAuthorize,
  createAccount,
  openDevice,
  signInToDevice,
  consent,
  openAccount,
  signInToAccount,
  manage,
];
