import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint, Reply } from "./endpoint.ts";
import { oauthRefusal } from "./oauth-errors.ts";

const optional = v.optional(v.string());

/** @see https://spec.matrix.org/v1.19/client-server-api/#dynamic-client-registration-flow */
const clients = endpoint(
  {
    method: "POST",
    path: "/_hearth/oauth/clients",
    auth: "none",
    limit: "login",
    body: jsonObject,
    response: jsonObject,
    refusal: oauthRefusal("invalid_client_metadata"),
  },
  async ({ node, body }) => new Reply(201, await node.oauth.registerClient(body)),
);

/** Nothing can be guessed here, and a device asks every few seconds: it draws on the budget for writing. */
const token = endpoint(
  {
    method: "POST",
    path: "/_hearth/oauth/token",
    auth: "none",
    limit: "write",
    bodyFormat: "form",
    body: v.object({
      grant_type: v.string(),
      client_id: optional,
      code: optional,
      redirect_uri: optional,
      code_verifier: optional,
      refresh_token: optional,
      device_code: optional,
    }),
    response: v.object({
      access_token: v.string(),
      token_type: v.literal("Bearer"),
      expires_in: v.number(),
      refresh_token: v.string(),
      scope: v.optional(v.string()),
    }),
    refusal: oauthRefusal("invalid_request"),
    revokes: true, // those that a device had before, and those of a stolen one
  },
  // RFC 6749 wants it of caches that are older than `no-store`.
  async ({ node, request, body }) =>
    new Reply(200, await node.oauth.token(request, body), { Pragma: "no-cache" }),
);

const revoke = endpoint(
  {
    method: "POST",
    path: "/_hearth/oauth/revoke",
    auth: "none",
    limit: "write",
    bodyFormat: "form",
    // Whoever has a token may end it: neither the hint nor the client makes a difference.
    body: v.object({ token: v.string(), token_type_hint: optional, client_id: optional }),
    response: emptyAnswer,
    refusal: oauthRefusal("invalid_request"),
    revokes: true,
  },
  async ({ node, body }) => {
    await node.oauth.revoke(body.token);
    return {};
  },
);

const deviceAuthorization = endpoint(
  {
    method: "POST",
    path: "/_hearth/oauth/device_authorization",
    auth: "none",
    limit: "login",
    bodyFormat: "form",
    body: v.object({ client_id: v.string(), scope: v.optional(v.string(), "") }),
    response: v.object({
      device_code: v.string(),
      user_code: v.string(),
      verification_uri: v.string(),
      verification_uri_complete: v.string(),
      expires_in: v.number(),
      interval: v.number(),
    }),
    refusal: oauthRefusal("invalid_request"),
  },
  async ({ node, body, baseUrl }) => {
    const begun = await node.oauth.authorizeDevice(body.client_id, body.scope);
    const page = `${baseUrl}/_hearth/oauth/device`;
    return {
      ...begun,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${begun.user_code}`,
    };
  },
);

/**
 * What apps call of OAuth; what people see of it is in oauth-pages.ts.
 * @see https://spec.matrix.org/v1.19/client-server-api/#oauth-20-api
 */
export const oauthEndpoints: Endpoint[] = [clients, token, revoke, deviceAuthorization];
