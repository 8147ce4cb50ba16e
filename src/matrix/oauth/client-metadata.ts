import type { JsonObject, JsonValue } from "../json.ts";
import { oauthError } from "./errors.ts";
import { httpsHost, isAtHost, isValidRedirectUri } from "./redirect-uris.ts";

export const deviceCodeGrant = "urn:ietf:params:oauth:grant-type:device_code";
/** What a client can come here with. */
export const grantTypes = ["authorization_code", "refresh_token", deviceCodeGrant] as const;
export const responseTypes = ["code"] as const;

/** What is kept of what a client says of itself. */
export type ClientMetadata = {
  client_uri: string;
  client_name?: string;
  logo_uri?: string;
  tos_uri?: string;
  policy_uri?: string;
  redirect_uris: string[];
  response_types: string[];
  grant_types: string[];
  token_endpoint_auth_method: "none";
  application_type: "web" | "native";
};

const maxRedirectUris = 20;
const maxNameLength = 256;

/**
 * Holds what a client says of itself to the rules. What is not understood is left out, localised values too.
 * @throws {MatrixError} invalid_client_metadata, invalid_redirect_uri (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#client-metadata
 */
export function clientMetadata(said: JsonObject): ClientMetadata {
  const client_uri = text(said.client_uri, "client_uri");
  const host = client_uri === undefined ? undefined : httpsHost(client_uri);
  if (client_uri === undefined || host === undefined) {
    throw bad("client_uri is needed, as an https URI without a user.");
  }
  const type = text(said.application_type, "application_type") ?? "web";
  if (type !== "web" && type !== "native") throw bad("application_type is web or native.");
  const method = text(said.token_endpoint_auth_method, "token_endpoint_auth_method") ?? "none";
  if (method !== "none") throw bad("token_endpoint_auth_method must be none: clients have no secrets here.");
  const name = text(said.client_name, "client_name");
  if (name !== undefined && name.length > maxNameLength) {
    throw bad(`client_name has at most ${maxNameLength} characters.`);
  }
  const grant_types = known(said.grant_types, "grant_types", grantTypes) ?? ["authorization_code"];
  return {
    client_uri,
    ...(name !== undefined && { client_name: name }),
    ...linkOf(said, "logo_uri", host),
    ...linkOf(said, "tos_uri", host),
    ...linkOf(said, "policy_uri", host),
    redirect_uris: redirectUris(said.redirect_uris, type, host, grant_types.includes("authorization_code")),
    response_types: known(said.response_types, "response_types", responseTypes) ?? ["code"],
    grant_types,
    token_endpoint_auth_method: method,
    application_type: type,
  };
}

const bad = (why: string) => oauthError("invalid_client_metadata", why);

function text(value: JsonValue | undefined, name: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw bad(`${name} should be a string.`);
}

function texts(value: JsonValue | undefined, name: string): string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
  throw bad(`${name} should be an array of strings.`);
}

function known(value: JsonValue | undefined, name: string, all: readonly string[]): string[] | undefined {
  const said = texts(value, name);
  return said && all.filter((one) => said.includes(one));
}

function linkOf(
  said: JsonObject,
  name: "logo_uri" | "tos_uri" | "policy_uri",
  host: string,
): Partial<Record<typeof name, string>> {
  const uri = text(said[name], name);
  if (uri === undefined) return {};
  if (!isAtHost(uri, host)) throw bad(`${name} must be an https URI at the host of client_uri.`);
  return { [name]: uri };
}

function redirectUris(
  value: JsonValue | undefined,
  type: "web" | "native",
  host: string,
  isNeeded: boolean,
): string[] {
  const uris = texts(value, "redirect_uris") ?? [];
  if (uris.length > maxRedirectUris) throw bad(`redirect_uris has at most ${maxRedirectUris} members.`);
  if (isNeeded && uris.length === 0) throw badRedirect("The authorization code grant needs a redirect URI.");
  for (const uri of uris) {
    if (!isValidRedirectUri(uri, type, host)) {
      throw badRedirect(`A redirect URI is not one that a ${type} client of this client_uri may have.`);
    }
  }
  return uris;
}

const badRedirect = (why: string) => oauthError("invalid_redirect_uri", why);
