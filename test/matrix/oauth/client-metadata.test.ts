import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { clientMetadata } from "../../../src/matrix/oauth/client-metadata.ts";

/** The example of https://spec.matrix.org/v1.19/client-server-api/#dynamic-client-registration-flow */
const example = {
  client_name: "My App",
  "client_name#fr": "Mon application",
  client_uri: "https://example.com/",
  logo_uri: "https://example.com/logo.png",
  tos_uri: "https://example.com/tos.html",
  "tos_uri#fr": "https://example.com/fr/tos.html",
  policy_uri: "https://example.com/policy.html",
  "policy_uri#fr": "https://example.com/fr/policy.html",
  redirect_uris: ["https://app.example.com/callback"],
  token_endpoint_auth_method: "none",
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
  application_type: "web",
};

test("what is understood is kept, and what is not is left out", () => {
  expect(clientMetadata(example)).toEqual({
    client_name: "My App",
    client_uri: "https://example.com/",
    logo_uri: "https://example.com/logo.png",
    tos_uri: "https://example.com/tos.html",
    policy_uri: "https://example.com/policy.html",
    redirect_uris: ["https://app.example.com/callback"],
    token_endpoint_auth_method: "none",
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
    application_type: "web",
  });
});

test("little has to be said", () => {
  const said = { client_uri: "https://example.com/", redirect_uris: ["https://example.com/"] };
  expect(clientMetadata(said)).toEqual({
    ...said,
    response_types: ["code"],
    grant_types: ["authorization_code"],
    token_endpoint_auth_method: "none",
    application_type: "web",
  });
});

test("who has no browser needs nowhere to come back to", () => {
  const grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"];
  expect(clientMetadata({ client_uri: "https://example.com/", grant_types }).redirect_uris).toEqual([]);
});

describe("refused is", () => {
  test.each<[what: string, change: JsonObject, code: string]>([
    ["no client_uri", { client_uri: undefined }, "invalid_client_metadata"],
    ["a client_uri that is not https", { client_uri: "http://example.com/" }, "invalid_client_metadata"],
    ["a client_uri with a user", { client_uri: "https://a@example.com/" }, "invalid_client_metadata"],
    ["a logo elsewhere", { logo_uri: "https://example.org/logo" }, "invalid_client_metadata"],
    ["terms that are not https", { tos_uri: "http://example.com/tos" }, "invalid_client_metadata"],
    ["a policy with a user", { policy_uri: "https://a:b@example.com/" }, "invalid_client_metadata"],
    ["a script for a policy", { policy_uri: "javascript:alert(1)" }, "invalid_client_metadata"],
    ["a secret", { token_endpoint_auth_method: "client_secret_basic" }, "invalid_client_metadata"],
    ["an unknown type", { application_type: "tool" }, "invalid_client_metadata"],
    ["a name that is none", { client_name: 5 }, "invalid_client_metadata"],
    ["too long a name", { client_name: "x".repeat(257) }, "invalid_client_metadata"],
    ["grants that are no array", { grant_types: "code" }, "invalid_client_metadata"],
    ["grants of another kind", { grant_types: [1] }, "invalid_client_metadata"],
    ["redirects of another kind", { redirect_uris: [1] }, "invalid_client_metadata"],
    [
      "too many redirects",
      { redirect_uris: Array(21).fill("https://example.com/") },
      "invalid_client_metadata",
    ],
    ["no redirect", { redirect_uris: [] }, "invalid_redirect_uri"],
    ["a redirect elsewhere", { redirect_uris: ["https://example.org/"] }, "invalid_redirect_uri"],
    ["one bad redirect of two", { redirect_uris: ["https://example.com/", "x:/"] }, "invalid_redirect_uri"],
    ["an app's redirect on the web", { redirect_uris: ["com.example:/"] }, "invalid_redirect_uri"],
  ])("%s", (_, change, errcode) => {
    expect(() => clientMetadata({ ...example, ...change })).toThrow(
      expect.objectContaining({ errcode, status: 400 }),
    );
  });
});
