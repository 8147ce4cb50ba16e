import * as v from "valibot";
import { responseModes } from "../matrix/oauth/authorization-request.ts";
import { grantTypes, responseTypes } from "../matrix/oauth/client-metadata.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { accountActions, formerActions } from "./oauth-account-html.ts";

const strings = v.array(v.string());

const response = v.object({
  issuer: v.string(),
  authorization_endpoint: v.string(),
  token_endpoint: v.string(),
  revocation_endpoint: v.string(),
  registration_endpoint: v.string(),
  device_authorization_endpoint: v.string(),
  account_management_uri: v.string(),
  account_management_actions_supported: strings,
  response_types_supported: strings,
  response_modes_supported: strings,
  grant_types_supported: strings,
  code_challenge_methods_supported: strings,
  prompt_values_supported: strings,
  token_endpoint_auth_methods_supported: strings,
  revocation_endpoint_auth_methods_supported: strings,
});

const metadata = (baseUrl: string) => ({
  issuer: `${baseUrl}/`,
  authorization_endpoint: `${baseUrl}/_hearth/oauth/authorize`,
  token_endpoint: `${baseUrl}/_hearth/oauth/token`,
  revocation_endpoint: `${baseUrl}/_hearth/oauth/revoke`,
  registration_endpoint: `${baseUrl}/_hearth/oauth/clients`,
  device_authorization_endpoint: `${baseUrl}/_hearth/oauth/device_authorization`,
  account_management_uri: `${baseUrl}/_hearth/oauth/account`,
  response_types_supported: [...responseTypes],
  response_modes_supported: [...responseModes],
  grant_types_supported: [...grantTypes],
  code_challenge_methods_supported: ["S256"],
  prompt_values_supported: ["create"],
  token_endpoint_auth_methods_supported: ["none"],
  revocation_endpoint_auth_methods_supported: ["none"],
});

const metadataEndpoint = (path: `/${string}`, actions: string[]) =>
  endpoint({ method: "GET", path, auth: "none", limit: "read", response }, async ({ baseUrl }) => ({
    ...metadata(baseUrl),
    account_management_actions_supported: actions,
  }));

const actions = [...accountActions.keys()];

/** @see https://spec.matrix.org/v1.19/client-server-api/#server-metadata-discovery */
export const oauthMetadataEndpoints: Endpoint[] = [
  metadataEndpoint("/_matrix/client/v1/auth_metadata", actions),
  // Who asks here was written before the spec: the actions had other names, too.
  metadataEndpoint("/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", [
    ...actions,
    ...formerActions.keys(),
  ]),
];
