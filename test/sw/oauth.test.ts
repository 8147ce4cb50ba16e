import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { createClientApi } from "../../src/sw/door.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { TokenBuckets, unlimited } from "../../src/sw/limits.ts";
import { doneOrPage } from "../../src/sw/uia.ts";
import type { OpenNode } from "../../src/worker-roomserver/node/node.ts";
import { crossSigner } from "../worker-roomserver/support/crypto-device.ts";
import { registerAt, testNode } from "../worker-roomserver/support/node.ts";
import {
  challengeOf,
  deviceCode,
  metadata,
  redirectUri,
  scopeOf,
  verifier,
} from "../worker-roomserver/support/oauth.ts";
import { type Ask, asking, askingOf } from "./support/ask.ts";
import { type Browser, browsing, type Shown } from "./support/browse.ts";

/** Served under a prefix, as it may be. */
const base = "https://home.example/app";
const scopePath = "/app/";
const endpoints = allEndpoints;
const password = "correct horse battery";

type Home = { node: OpenNode; ask: Ask; browser: Browser; server: Record<string, string> };

async function home(): Promise<Home> {
  const node = await testNode();
  await registerAt(node, "alice");
  const api = createClientApi({ node, endpoints, limiter: unlimited, scopePath });
  const ask = askingOf(api);
  const { status, body } = await ask("GET", "/app/_matrix/client/v1/auth_metadata");
  expect(status).toBe(200);
  return { node, ask, browser: browsing(api), server: body as Record<string, string> };
}

const pathOf = (url: string | undefined) => new URL(url ?? "").pathname;

const post = ({ ask }: Home, url: string | undefined, form: Record<string, string>) =>
  ask("POST", pathOf(url), { body: new URLSearchParams(form) });

test("who comes through a relay is told the addresses there", async () => {
  const api = createClientApi({ node: await testNode(), endpoints, limiter: unlimited, scopePath });
  const baseUrl = "https://node.relay.example";
  const { body } = await askingOf(api, { source: "relay", address: "a", baseUrl })(
    "GET",
    "/_matrix/client/v1/auth_metadata",
  );
  expect(body).toMatchObject({ issuer: `${baseUrl}/`, token_endpoint: `${baseUrl}/_hearth/oauth/token` });
});

async function registered({ ask, server }: Home, said: JsonObject = metadata): Promise<string> {
  const { status, body } = await ask("POST", pathOf(server.registration_endpoint), { body: said });
  expect(status).toBe(201);
  return String(body.client_id);
}

async function authorizeUrl(home: Home, change: Record<string, string> = {}): Promise<string> {
  const query = {
    response_type: "code",
    client_id: await registered(home),
    redirect_uri: redirectUri,
    scope: scopeOf("PHONE"),
    state: "a state",
    response_mode: "fragment",
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
    ...change,
  };
  return `${home.server.authorization_endpoint}?${new URLSearchParams(query)}`;
}

const signIn = ({ browser }: Home, shown: Shown, more: Record<string, string> = {}) =>
  browser.click(shown, "Continue", { username: "alice", password, ...more });

/** What the app is told in the address that the browser is sent to. */
function told({ status, headers }: Shown): Record<string, string> {
  expect(status).toBe(303);
  const url = new URL(headers.get("Location") ?? "");
  return Object.fromEntries(new URLSearchParams(url.hash.slice(1) || url.search));
}

async function loggedIn(home: Home): Promise<Record<string, string>> {
  const consent = await signIn(home, await home.browser.open(await authorizeUrl(home)));
  const { code = "" } = told(await home.browser.click(consent, "Allow"));
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
  const { status, body } = await post(home, home.server.token_endpoint, {
    ...form,
    client_id: await registered(home),
  });
  expect(status).toBe(200);
  return body as Record<string, string>;
}

const whoami = ({ ask }: Home, token = "") => ask("GET", "/app/_matrix/client/v3/account/whoami", { token });

test("the metadata says where everything is, and what of it there is", async () => {
  const { ask, server } = await home();
  const oauth = `${base}/_hearth/oauth`;
  expect(server).toEqual({
    issuer: `${base}/`,
    authorization_endpoint: `${oauth}/authorize`,
    token_endpoint: `${oauth}/token`,
    revocation_endpoint: `${oauth}/revoke`,
    registration_endpoint: `${oauth}/clients`,
    device_authorization_endpoint: `${oauth}/device_authorization`,
    account_management_uri: `${oauth}/account`,
    account_management_actions_supported: [
      "org.matrix.profile",
      "org.matrix.devices_list",
      "org.matrix.device_view",
      "org.matrix.device_delete",
      "org.matrix.account_deactivate",
      "org.matrix.cross_signing_reset",
    ],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment"],
    grant_types_supported: ["authorization_code", "refresh_token", deviceCode],
    code_challenge_methods_supported: ["S256"],
    prompt_values_supported: ["create"],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
  });
  const former = await ask("GET", "/app/_matrix/client/unstable/org.matrix.msc2965/auth_metadata");
  expect(former.body).toMatchObject({ issuer: `${base}/` });
  expect(former.body.account_management_actions_supported).toContain("org.matrix.session_end");
});

test("an app logs in through the browser, refreshes, and logs out", async () => {
  const at = await home();
  const first = await at.browser.open(await authorizeUrl(at, { login_hint: "alice" }));
  expect(first.status).toBe(200);
  expect(first.text).toContain("An app");
  expect(first.forms[0]!.fields.username).toBe("alice");
  const wrong = await signIn(at, first, { password: "wrong" });
  expect(wrong.text).toContain("The username or the password is wrong.");
  const consent = await signIn(at, wrong);
  expect(consent.text).toContain("@alice:");
  const { code = "", state } = told(await at.browser.click(consent, "Allow"));
  expect(state).toBe("a state");

  const client_id = await registered(at);
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
  const answer = await post(at, at.server.token_endpoint, { ...form, client_id });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Cache-Control")).toBe("no-store");
  expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
  const tokens = answer.body as Record<string, string>;
  expect(await whoami(at, tokens.access_token)).toMatchObject({ status: 200, body: { device_id: "PHONE" } });

  const refresh = { grant_type: "refresh_token", refresh_token: tokens.refresh_token ?? "", client_id };
  const fresh = (await post(at, at.server.token_endpoint, refresh)).body as Record<string, string>;
  expect(await whoami(at, fresh.access_token)).toMatchObject({ status: 200 });
  expect(await whoami(at, tokens.access_token)).toMatchObject({ status: 401 });
  expect(await post(at, at.server.token_endpoint, refresh)).toMatchObject({
    status: 400,
    body: { error: "invalid_grant", error_description: expect.any(String) },
  });
  // That refresh token was good once: somebody may have stolen it.
  expect(await whoami(at, fresh.access_token)).toMatchObject({ status: 401 });

  const again = await loggedIn(at);
  expect(await whoami(at, again.access_token)).toMatchObject({ status: 200 });
  const revoked = await post(at, at.server.revocation_endpoint, { token: again.refresh_token ?? "" });
  expect(revoked).toMatchObject({ status: 200, body: {} });
  expect(await whoami(at, again.access_token)).toMatchObject({ status: 401 });
});

test("who says no sends the app away; who has nothing that it asks for never gets there", async () => {
  const at = await home();
  const consent = await signIn(at, await at.browser.open(await authorizeUrl(at, { response_mode: "query" })));
  expect(told(await at.browser.click(consent, "Deny"))).toMatchObject({
    error: "access_denied",
    state: "a state",
  });
  const used = await at.browser.click(consent, "Allow");
  expect([used.status, used.headers.get("Location")]).toEqual([400, null]);
  const bad = await at.browser.open(await authorizeUrl(at, { scope: "openid" }));
  expect(told(bad)).toMatchObject({ error: "invalid_scope", state: "a state" });
});

test("nobody is sent to where the app has not registered", async () => {
  const at = await home();
  const changes: Record<string, string>[] = [{ redirect_uri: "https://evil.example/" }, { client_id: "x" }];
  for (const change of changes) {
    const shown = await at.browser.open(await authorizeUrl(at, change));
    expect(shown.status).toBeGreaterThanOrEqual(400);
    expect(shown.headers.get("Location")).toBeNull();
    expect(shown.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
  }
  const twice = await at.browser.open(`${await authorizeUrl(at)}&state=other`);
  expect([twice.status, twice.forms]).toEqual([400, []]);
});

test("a new account is made on the way", async () => {
  const at = await home();
  const shown = await at.browser.open(await authorizeUrl(at));
  const link = shown.links.get("Create an account") ?? "";
  const create = await at.browser.open(new URL(link, shown.url).href);
  const fields = { username: "bob", password, password_again: "other" };
  const differ = await at.browser.click(create, "Create account", fields);
  expect(differ.text).toContain("The passwords differ.");
  const consent = await at.browser.click(differ, "Create account", { ...fields, password_again: password });
  expect(consent.text).toContain("@bob:");
  expect(told(await at.browser.click(consent, "Allow"))).toHaveProperty("code");
  const back = create.links.get("Sign in to an account that you have") ?? "";
  expect((await at.browser.open(new URL(back, create.url).href)).forms[0]!.buttons.has("Continue")).toBe(
    true,
  );
});

test("a device without a browser logs in with a code", async () => {
  const at = await home();
  const client_id = await registered(at);
  const begun = await post(at, at.server.device_authorization_endpoint, { client_id, scope: scopeOf("TV") });
  const { device_code, user_code, verification_uri, verification_uri_complete } = begun.body as Record<
    string,
    string
  >;
  expect(begun).toMatchObject({ status: 200, body: { interval: 5, expires_in: 900 } });
  const poll = { grant_type: deviceCode, client_id, device_code: device_code ?? "" };
  expect(await post(at, at.server.token_endpoint, poll)).toMatchObject({
    status: 400,
    body: { error: "authorization_pending" },
  });
  expect(await post(at, at.server.token_endpoint, poll)).toMatchObject({
    status: 400,
    body: { error: "slow_down" },
  });

  const empty = await at.browser.open(verification_uri ?? "");
  expect((await signIn(at, empty, { user_code: "BCDF-GHJK" })).text).toContain("No device shows this code");
  const shown = await at.browser.open(verification_uri_complete ?? "");
  expect(shown.forms[0]!.fields.user_code).toBe(user_code);
  const consent = await signIn(at, shown);
  expect(consent.text).toContain("An app");
  expect((await at.browser.click(consent, "Allow")).text).toContain("signed in");
  const { body } = await post(at, at.server.token_endpoint, poll);
  expect(await whoami(at, String(body.access_token))).toMatchObject({
    status: 200,
    body: { device_id: "TV" },
  });
});

describe("the account page", () => {
  test("shows all, or what was asked for, and does it", async () => {
    const at = await home();
    const { access_token } = await loggedIn(at);
    const uri = at.server.account_management_uri ?? "";
    const all = await signIn(at, await at.browser.open(uri));
    for (const part of ["Profile", "Sessions", "Digital identity", "Deactivate the account"]) {
      expect(all.text).toContain(part);
    }
    const named = await at.browser.click(all, "Change name", { display_name: "Alice & Co" });
    expect(named.forms[0]!.fields.display_name).toBe("Alice & Co");

    const link = await at.browser.open(`${uri}?action=org.matrix.device_delete&device_id=PHONE`);
    const one = await signIn(at, link);
    expect(one.text).not.toContain("Deactivate");
    expect(await whoami(at, access_token)).toMatchObject({ status: 200 });
    const ended = await at.browser.click(one, "Sign out An app");
    expect(ended.text).toContain("The session is signed out.");
    expect(await whoami(at, access_token)).toMatchObject({ status: 401 });
    expect((await at.browser.click(one, "Show everything")).text).toContain("Profile");
    const gone = await signIn(
      at,
      await at.browser.open(`${uri}?action=org.matrix.session_view&device_id=PHONE`),
    );
    expect(gone.text).toContain("no such session");
  });

  test("opens the way for new cross-signing keys", async () => {
    const at = await home();
    const uri = `${at.server.account_management_uri}?action=org.matrix.cross_signing_reset`;
    const shown = await signIn(at, await at.browser.open(uri));
    const done = await at.browser.click(shown, "Let an app replace it");
    expect(done.text).toContain("It may be replaced until");
  });

  test("is where a device that has no password to give sends its user for new cross-signing keys", async () => {
    const at = await home();
    const { access_token: token = "" } = await loggedIn(at);
    const { user_id: userId } = (await whoami(at, token)).body as { user_id: string };
    const upload = async (body: JsonObject) =>
      at.ask("POST", "/app/_matrix/client/v3/keys/device_signing/upload", { token, body });
    expect(await upload((await crossSigner(userId)).body)).toMatchObject({ status: 200 });
    const { body } = await crossSigner(userId);
    const challenge = await upload(body);
    const url = `${at.server.account_management_uri}?action=org.matrix.cross_signing_reset`;
    expect(challenge).toMatchObject({
      status: 401,
      body: {
        flows: expect.arrayContaining([{ stages: ["m.oauth"] }]),
        params: { "m.oauth": { url } },
        session: expect.any(String),
      },
    });
    const auth = { session: challenge.body.session! };
    expect(await upload({ ...body, auth })).toMatchObject({ status: 401, body: { session: auth.session } });
    // A password is no way around the page: the app has none to ask for.
    const guessed = { type: "m.login.password", identifier: { type: "m.id.user", user: "alice" }, password };
    expect(await upload({ ...body, auth: { ...auth, ...guessed } })).toMatchObject({ status: 401 });
    await at.browser.click(await signIn(at, await at.browser.open(url)), "Let an app replace it");
    expect(await upload({ ...body, auth })).toMatchObject({ status: 200, body: {} });
  });

  test("is no way for a device that has logged in by password", async () => {
    const at = await home();
    const login = { type: "m.login.password", identifier: { type: "m.id.user", user: "alice" }, password };
    const { access_token: token, user_id: userId } = (
      await at.ask("POST", "/app/_matrix/client/v3/login", { body: login })
    ).body as { access_token: string; user_id: string };
    const upload = async (auth?: JsonObject) => {
      const { body } = signer;
      return at.ask("POST", "/app/_matrix/client/v3/keys/device_signing/upload", {
        token,
        body: { ...body, ...(auth && { auth }) },
      });
    };
    let signer = await crossSigner(userId);
    expect((await upload()).status).toBe(200);
    signer = await crossSigner(userId);
    const challenge = await upload();
    expect(challenge).toMatchObject({ status: 401, body: { flows: [{ stages: ["m.login.password"] }] } });
    expect((await upload({ ...login, session: challenge.body.session! })).status).toBe(200);
  });

  test("deactivates", async () => {
    const at = await home();
    const uri = `${at.server.account_management_uri}?action=org.matrix.account_deactivate`;
    const shown = await signIn(at, await at.browser.open(uri));
    const wrong = await at.browser.click(shown, "Deactivate my account", { password: "wrong" });
    expect(wrong.text).toContain("The password is wrong.");
    const gone = await at.browser.click(wrong, "Deactivate my account", { password });
    expect(gone.text).toContain("Your account is gone.");
    expect((await signIn(at, await at.browser.open(uri))).text).toContain("wrong");
  });
});

describe("pages", () => {
  test("run nothing, are in no frame, and lead on to the app alone", async () => {
    const at = await home();
    const policy = async (redirect_uri: string) => {
      const { status, headers } = await at.browser.open(await authorizeUrl(at, { redirect_uri }));
      expect(status).toBe(200);
      expect(Object.fromEntries(headers)).toMatchObject({
        "cache-control": "no-store",
        "content-type": "text/html; charset=utf-8",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      return (headers.get("Content-Security-Policy") ?? "")
        .replace(/nonce-[0-9a-f-]{36}/, "nonce-…")
        .split("; ");
    };
    const strict = ["default-src 'none'", "style-src 'nonce-…'", "frame-ancestors 'none'", "base-uri 'none'"];
    expect(await policy(redirectUri)).toEqual(
      expect.arrayContaining([...strict, "form-action 'self' https://app.example.com"]),
    );
    expect(await policy("com.example.app:/callback")).toContain("form-action 'self' com.example.app:");
    const loopback = { ...metadata, redirect_uris: ["http://localhost/a", "http://[::1]/a"] };
    const client_id = await registered(at, loopback);
    for (const [redirect_uri, source] of [
      ["http://localhost:1234/a", "http://localhost:1234"],
      ["http://[::1]:1234/a", "http:"],
    ]) {
      const shown = await at.browser.open(await authorizeUrl(at, { client_id, redirect_uri: redirect_uri! }));
      expect(shown.headers.get("Content-Security-Policy")).toContain(`form-action 'self' ${source};`);
    }
  });

  test("say nothing but what they should, whatever apps and users are called", async () => {
    const at = await home();
    const plain = await signIn(at, await at.browser.open(await authorizeUrl(at)));
    const wild = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 100 }),
      fc.constantFrom("<script>", '"><img src=x onerror=alert(1)>', "'</title><b>", "&lt;&#60;", "</style>"),
    );
    await fc.assert(
      fc.asyncProperty(wild, wild, async (client_name, username) => {
        const client_id = await registered(at, {
          ...metadata,
          client_name: client_name.replaceAll("\0", ""),
        });
        const url = await authorizeUrl(at, { client_id, login_hint: username.replaceAll("\0", "") });
        const shown = await at.browser.open(url);
        expect(shown.text).toContain(client_name.replaceAll("\0", "").replace(/\r\n?/g, "\n"));
        for (const tag of shown.tags) expect(tag).not.toMatch(/^(script|img|b)\b| (on|src)/);
        const consent = await signIn(at, shown);
        expect(consent.tags).toEqual(plain.tags);
      }),
      { numRuns: 25 },
    );
  });

  test("tell a person to open Hearth when it is not there, and an app to come back", async () => {
    const at = await home();
    const away = () => Promise.reject(Object.assign(new Error("gone"), { name: "LeaderFenced" }));
    Object.assign(at.node.oauth, { open: away, token: away });
    const shown = await at.browser.open(await authorizeUrl(at));
    expect([shown.status, shown.headers.get("Retry-After")]).toEqual([503, "1"]);
    const link = shown.links.get("Open Hearth in another tab") ?? "";
    expect(new URL(link, shown.url).href).toBe(`${base}/`);
    const answer = await post(at, at.server.token_endpoint, { grant_type: "refresh_token" });
    expect(answer).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(answer.headers.get("Retry-After")).toBe("1");
  });
});

describe("an error of OAuth is written as such", () => {
  test.each<[endpoint: string, body: BodyInit, error: string, status: number]>([
    ["token_endpoint", "", "invalid_request", 400],
    ["token_endpoint", "grant_type=password", "unsupported_grant_type", 400],
    ["token_endpoint", "grant_type=a&client_id=%00", "invalid_request", 400],
    ["revocation_endpoint", "", "invalid_request", 400],
    ["device_authorization_endpoint", "client_id=x", "invalid_client", 401],
    ["registration_endpoint", "{", "invalid_client_metadata", 400],
    ["registration_endpoint", "{}", "invalid_client_metadata", 400],
  ])("%s, %j", async (endpoint, body, error, status) => {
    const { ask, server } = await home();
    const answer = await ask("POST", pathOf(server[endpoint]), { body });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error, error_description: expect.stringMatching(/^[ !#-[\]-~]+$/) });
  });

  test("a body that is too large", async () => {
    const { ask } = await home();
    const body = `grant_type=${"x".repeat(1_100_000)}`;
    const answer = await ask("POST", "/app/_hearth/oauth/token", { body });
    expect(answer).toMatchObject({ status: 413, body: { error: "invalid_request" } });
  });

  test("and who comes too often is told to wait, but not that its login has ended", async () => {
    const node = await testNode();
    const caller = { source: "relay", address: "a", baseUrl: "https://home.example" } as const;
    const ask = asking({ node, endpoints, scopePath, caller, limiter: new TokenBuckets(() => 0) });
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id: "x" });
    const once = () => ask("POST", "/app/_hearth/oauth/token", { body });
    let answer = await once();
    for (let i = 0; i < 50; i++) answer = await once();
    expect(answer).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
  });
});

test("a challenge names the account page by its whole address", () => {
  const uia = {
    session: "s",
    params: { "m.oauth": { url: "/page?x" }, other: { url: "https://a/" }, odd: 1 },
  };
  expect(doneOrPage({ uia }, base)).toMatchObject({
    status: 401,
    body: {
      session: "s",
      params: { "m.oauth": { url: `${base}/page?x` }, other: { url: "https://a/" }, odd: 1 },
    },
  });
  expect(doneOrPage({}, base)).toEqual({});
});
