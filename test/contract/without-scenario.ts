import type { Route } from "./support/scenario.ts";

const oauthPages = Object.fromEntries(
  [
    "POST /_hearth/oauth/clients",
    "POST /_hearth/oauth/token",
    "POST /_hearth/oauth/revoke",
    "POST /_hearth/oauth/device_authorization",
    "GET /_hearth/oauth/authorize",
    "POST /_hearth/oauth/authorize",
    "POST /_hearth/oauth/create",
    "GET /_hearth/oauth/device",
    "POST /_hearth/oauth/device",
    "POST /_hearth/oauth/consent",
    "GET /_hearth/oauth/account",
    "POST /_hearth/oauth/account",
    "POST /_hearth/oauth/manage",
  ].map((route) => [
    route,
    "its answers are pages or OAuth's: test/sw/oauth.test.ts uses it as apps and people do",
  ]),
);

/** The endpoints that no scenario uses, and why. The list can only become shorter. */
export const withoutScenario: Readonly<Partial<Record<Route, string>>> = {
  ...oauthPages,
  ...Object.fromEntries(
    [
      "GET /_hearth/v1/relays",
      "POST /_hearth/v1/relays",
      "DELETE /_hearth/v1/relays/{url}",
      "PUT /_hearth/v1/relays/{url}",
      "POST /_hearth/v1/relays/{url}/retry",
      "POST /_hearth/v1/relays/{url}/name",
    ].map((route) => [
      route,
      "it changes what the homeserver reaches, not what clients see: test/sw/relayed.test.ts uses it",
    ]),
  ),
  ...Object.fromEntries(
    (["GET", "POST"] as const).map((method) => [
      `${method} /_synapse/admin/v1/register`,
      "it is Synapse's: test/worker-roomserver/users/shared-secret.test.ts uses it as Synapse's tests do",
    ]),
  ),
  ...Object.fromEntries(
    (["GET", "PUT", "POST", "DELETE"] as const).map((method) => [
      `${method} /_hearth/v1/**`,
      "it hands on what the owner's endpoints are asked: their scenarios come through it",
    ]),
  ),
};
