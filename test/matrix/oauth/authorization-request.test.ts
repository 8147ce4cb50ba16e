import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AuthorizationQuery,
  authorizationRequest,
  callbackOf,
  callbackUrl,
  refusedUrl,
} from "../../../src/matrix/oauth/authorization-request.ts";
import { clientMetadata } from "../../../src/matrix/oauth/client-metadata.ts";
import { oauthError } from "../../../src/matrix/oauth/errors.ts";

const client = clientMetadata({
  client_uri: "https://example.com/",
  redirect_uris: ["https://example.com/callback", "https://example.com/?a=b"],
});
const query: AuthorizationQuery = {
  response_type: "code",
  client_id: "x",
  redirect_uri: "https://example.com/callback",
  scope: "urn:matrix:client:api:* urn:matrix:client:device:ABC",
  state: "s t&",
  response_mode: "fragment",
  code_challenge: "72xySjpngTcCxgbPfFmkPHjMvVDl2jW1aWP7-J6rmwU",
  code_challenge_method: "S256",
};
const requested = (change: AuthorizationQuery, of = client) => {
  const changed = { ...query, ...change };
  return authorizationRequest(changed, of, callbackOf(changed, of));
};

test("a request says all that a code is bound to", () => {
  expect(requested({})).toEqual({
    redirectUri: "https://example.com/callback",
    responseMode: "fragment",
    state: "s t&",
    challenge: query.code_challenge,
    scope: query.scope,
    deviceId: "ABC",
  });
  expect(requested({ response_mode: undefined }).responseMode).toBe("query");
});

test.each<[what: string, redirect_uri: string | undefined]>([
  ["nowhere", undefined],
  ["an address of another page", "https://example.com/other"],
  ["an address elsewhere", "https://evil.example/callback"],
])("nobody is sent to %s", (_, redirect_uri) => {
  expect(() => callbackOf({ ...query, redirect_uri }, client)).toThrow(
    expect.objectContaining({ errcode: "invalid_request" }),
  );
});

describe("told to the app is", () => {
  test.each<[what: string, change: AuthorizationQuery, code: string]>([
    ["no response_type", { response_type: undefined }, "invalid_request"],
    ["another response_type", { response_type: "token" }, "unsupported_response_type"],
    ["an unknown response_mode", { response_mode: "form_post" }, "invalid_request"],
    ["no challenge", { code_challenge: undefined }, "invalid_request"],
    ["no method", { code_challenge_method: undefined }, "invalid_request"],
    ["the plain method", { code_challenge_method: "plain" }, "invalid_request"],
    ["a challenge that is no hash", { code_challenge: "abc" }, "invalid_request"],
    ["no scope", { scope: undefined }, "invalid_scope"],
    ["that nothing may be shown", { prompt: "none" }, "login_required"],
  ])("%s", (_, change, errcode) => {
    expect(() => requested(change)).toThrow(expect.objectContaining({ errcode }));
  });

  test("that it has not registered for this", () => {
    const other = { ...client, grant_types: ["refresh_token"] };
    expect(() => requested({}, other)).toThrow(expect.objectContaining({ errcode: "unauthorized_client" }));
  });
});

test("an answer comes in the query or in the fragment, and leaves what is there", () => {
  const at = { redirectUri: "https://example.com/?a=b", responseMode: "query", state: "s t&" } as const;
  expect(callbackUrl(at, { code: "c" })).toBe("https://example.com/?a=b&code=c&state=s%20t%26");
  const { state: _, ...stateless } = at;
  expect(callbackUrl({ ...stateless, responseMode: "fragment" }, { code: "c" })).toBe(
    "https://example.com/?a=b#code=c",
  );
  const refused = refusedUrl({ ...at, redirectUri: "com.example:/" }, oauthError("access_denied", "No."));
  expect(refused).toBe("com.example:/?error=access_denied&error_description=No.&state=s%20t%26");
});

test("the app reads back the state that it has sent", () => {
  const mode = fc.constantFrom("query" as const, "fragment" as const);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), mode, (state, responseMode) => {
      const url = new URL(
        callbackUrl({ redirectUri: "https://example.com/", responseMode, state }, { code: "c" }),
      );
      const answer = new URLSearchParams(responseMode === "query" ? url.search : url.hash.slice(1));
      expect(Object.fromEntries(answer)).toEqual({ code: "c", state });
    }),
  );
});
