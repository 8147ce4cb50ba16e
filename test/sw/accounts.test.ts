import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { accountEndpoints } from "../../src/sw/account.ts";
import { administrativeContactEndpoints } from "../../src/sw/administrative-contact.ts";
import { deviceEndpoints } from "../../src/sw/devices.ts";
import { loginEndpoints } from "../../src/sw/login.ts";
import { profileEndpoints } from "../../src/sw/profile.ts";
import { registrationEndpoints } from "../../src/sw/registration.ts";
import type { RegistrationSettings } from "../../src/worker-roomserver/users/api.ts";
import { guessBudgets } from "../../src/worker-roomserver/users/guess-limits.ts";
import { testUsers } from "../worker-roomserver/support/users.ts";
import { type Ask, asking } from "./support/ask.ts";
import { nodeDouble } from "./support/node-double.ts";

const endpoints = [
  ...accountEndpoints,
  ...administrativeContactEndpoints,
  ...deviceEndpoints,
  ...loginEndpoints,
  ...profileEndpoints,
  ...registrationEndpoints,
];

const v3 = "/_matrix/client/v3";

async function home(settings: Partial<RegistrationSettings> = {}) {
  const users = await testUsers(settings);
  return { users, ask: asking({ node: nodeDouble({ users }), endpoints }) };
}

async function registered(ask: Ask, username: string, more: JsonObject = {}): Promise<string> {
  const body = { username, password: "secret", auth: { type: "m.login.dummy" }, device_id: "PHONE", ...more };
  const answer = await ask("POST", `${v3}/register`, { body });
  expect(answer.status).toBe(200);
  return String(answer.body.access_token);
}

const password = (user: string, session?: JsonObject[string]) => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user },
  password: "secret",
  ...(session !== undefined && { session }),
});

describe("registration", () => {
  test("asks for authentication, and gives an account to whoever comes back with it", async () => {
    const { ask } = await home();
    const first = await ask("POST", `${v3}/register`, { body: {} });
    expect(first).toMatchObject({
      status: 401,
      body: { flows: [{ stages: ["m.login.dummy"] }], params: {} },
    });
    expect(first.body).not.toHaveProperty("errcode");
    const body = {
      username: "alice",
      password: "secret",
      refresh_token: true,
      auth: { type: "m.login.dummy", session: first.body.session },
    };
    const second = await ask("POST", `${v3}/register`, { body });
    expect(second).toMatchObject({
      status: 200,
      body: {
        user_id: "@alice:home.example",
        device_id: expect.any(String),
        refresh_token: expect.any(String),
        expires_in_ms: expect.any(Number),
      },
    });
    const token = String(second.body.access_token);
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject({
      status: 200,
      body: { user_id: "@alice:home.example", device_id: second.body.device_id, is_guest: false },
    });
  });

  test("says which names are free, and which tokens are good", async () => {
    const { ask, users } = await home();
    await registered(ask, "alice");
    const available = (name: string) => ask("GET", `${v3}/register/available?username=${name}`);
    expect(await available("bob")).toMatchObject({ status: 200, body: { available: true } });
    expect(await available("alice")).toMatchObject({ status: 400, body: { errcode: "M_USER_IN_USE" } });
    expect(await available("b%20b")).toMatchObject({ status: 400, body: { errcode: "M_INVALID_USERNAME" } });
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc" });
    const valid = (token: string) =>
      ask("GET", `/_matrix/client/v1/register/m.login.registration_token/validity?token=${token}`);
    expect(await valid("abc")).toMatchObject({ status: 200, body: { valid: true } });
    expect(await valid("abd")).toMatchObject({ status: 200, body: { valid: false } });
  });

  test("takes guests, whom not everything is open to", async () => {
    const { ask } = await home();
    const guest = await ask("POST", `${v3}/register?kind=guest`, { body: {} });
    const token = String(guest.body.access_token);
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject({
      status: 200,
      body: { is_guest: true },
    });
    const refused = { status: 403, body: { errcode: "M_GUEST_ACCESS_FORBIDDEN" } };
    const body = { new_password: "x" };
    expect(await ask("POST", `${v3}/account/password`, { token, body })).toMatchObject(refused);
    expect(await ask("POST", `${v3}/register?kind=other`, { body: {} })).toMatchObject({ status: 400 });
  });
});

describe("logging in and out", () => {
  test("offers passwords", async () => {
    const { ask } = await home();
    expect(await ask("GET", `${v3}/login`)).toMatchObject({
      status: 200,
      body: {
        flows: [
          { type: "m.login.password" },
          { type: "m.login.token", get_login_token: true },
          { type: "m.login.application_service" },
        ],
      },
    });
  });

  test("a login, a refresh and a logout", async () => {
    const { ask } = await home();
    await registered(ask, "alice");
    const body = { ...password("alice"), refresh_token: true };
    const login = await ask("POST", `${v3}/login`, { body });
    expect(login).toMatchObject({ status: 200, body: { user_id: "@alice:home.example" } });
    const { refresh_token } = login.body;
    const refreshed = await ask("POST", `${v3}/refresh`, { body: { refresh_token } });
    expect(refreshed).toMatchObject({ status: 200, body: { refresh_token: expect.any(String) } });
    const token = String(refreshed.body.access_token);
    expect(await ask("POST", `${v3}/logout`, { token })).toMatchObject({ status: 200, body: {} });
    const after = { status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } };
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject(after);
    expect(await ask("POST", `${v3}/refresh`, { body: { refresh_token } })).toMatchObject(after);
  });

  test("a token that a new login replaces is not good any more, though it was in use", async () => {
    const { ask } = await home();
    const token = await registered(ask, "alice");
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject({ status: 200 });
    await ask("POST", `${v3}/login`, { body: { ...password("alice"), device_id: "PHONE" } });
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject({ status: 401 });
  });

  test("all devices log out at once", async () => {
    const { ask } = await home();
    const token = await registered(ask, "alice");
    const other = String((await ask("POST", `${v3}/login`, { body: password("alice") })).body.access_token);
    expect(await ask("POST", `${v3}/logout/all`, { token })).toMatchObject({ status: 200 });
    for (const gone of [token, other]) {
      expect(await ask("GET", `${v3}/account/whoami`, { token: gone })).toMatchObject({ status: 401 });
    }
  });

  test("who guesses is told how long to wait", async () => {
    const { ask } = await home();
    await registered(ask, "alice");
    const { burst, everyMs } = guessBudgets.each;
    const wrong = { ...password("alice"), password: "wrong" };
    for (let i = 0; i < burst; i++) {
      expect(await ask("POST", `${v3}/login`, { body: wrong })).toMatchObject({ status: 403 });
    }
    const answer = await ask("POST", `${v3}/login`, { body: wrong });
    expect(answer).toMatchObject({
      status: 429,
      body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: everyMs },
    });
    expect(answer.headers.get("Retry-After")).toBe(String(everyMs / 1000));
  });

  test.each<[what: string, body: JsonObject, status: number, errcode: string]>([
    ["no type", {}, 400, "M_MISSING_PARAM"],
    ["a type of nobody", { type: "org.example.magic" }, 400, "M_UNKNOWN"],
    ["a token of nobody", { type: "m.login.token", token: "x" }, 403, "M_FORBIDDEN"],
    ["a password that is no text", { ...password("alice"), password: 1 }, 400, "M_BAD_JSON"],
    ["an identifier that is no object", { ...password("alice"), identifier: "alice" }, 400, "M_BAD_JSON"],
  ])("with %s is refused", async (_, body, status, errcode) => {
    const { ask } = await home();
    expect(await ask("POST", `${v3}/login`, { body })).toMatchObject({ status, body: { errcode } });
  });
});

describe("what wants user-interactive authentication", () => {
  test.each<[method: string, path: string, body: JsonObject, answer: JsonObject]>([
    ["POST", "/account/password", { new_password: "new" }, {}],
    ["POST", "/account/deactivate", {}, { id_server_unbind_result: "success" }],
    ["DELETE", "/devices/PHONE", {}, {}],
    ["POST", "/delete_devices", { devices: ["PHONE"] }, {}],
  ])("%s %s", async (method, path, body, answer) => {
    const { ask } = await home();
    const token = await registered(ask, "alice");
    const challenged = await ask(method, `${v3}${path}`, { token, body });
    expect(challenged).toMatchObject({ status: 401, body: { flows: [{ stages: ["m.login.password"] }] } });
    const { session } = challenged.body;
    const wrong = { ...password("alice", session), password: "wrong" };
    expect(await ask(method, `${v3}${path}`, { token, body: { ...body, auth: wrong } })).toMatchObject({
      status: 401,
      body: { errcode: "M_FORBIDDEN", session },
    });
    const auth = password("alice", session);
    expect(await ask(method, `${v3}${path}`, { token, body: { ...body, auth } })).toMatchObject({
      status: 200,
      body: answer,
    });
    // Only the change of a password leaves this device logged in.
    const left = path === "/account/password" ? 200 : 401;
    expect(await ask("GET", `${v3}/account/whoami`, { token })).toMatchObject({ status: left });
    expect(await ask(method, `${v3}${path}`, { body })).toMatchObject({ status: 401 });
  });
});

test("devices are shown and renamed", async () => {
  const { ask, users } = await home();
  const token = await registered(ask, "alice");
  const path = `${v3}/devices/PHONE`;
  expect(await ask("PUT", path, { token, body: { display_name: "Phone" } })).toMatchObject({ status: 200 });
  expect(await ask("PUT", path, { token, body: {} })).toMatchObject({ status: 200 });
  const phone = { device_id: "PHONE", display_name: "Phone", last_seen_ts: users.world.time };
  expect((await ask("GET", path, { token })).body).toEqual(phone);
  expect((await ask("GET", `${v3}/devices`, { token })).body).toEqual({ devices: [phone] });
  expect(await ask("PUT", `${v3}/devices/X`, { token, body: {} })).toMatchObject({
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
});

test("profiles are read by anyone, whole or by field, and written by their owner", async () => {
  const { ask } = await home();
  const token = await registered(ask, "alice");
  const path = `${v3}/profile/@alice:home.example`;
  const field = `${path}/org.example.field`;
  expect(await ask("PUT", field, { token, body: { "org.example.field": [null] } })).toMatchObject({
    status: 200,
  });
  expect((await ask("GET", field)).body).toEqual({ "org.example.field": [null] });
  expect((await ask("GET", `${path}/displayname`)).body).toEqual({ displayname: "alice" });
  expect((await ask("GET", path)).body).toEqual({ displayname: "alice", "org.example.field": [null] });
  expect(await ask("DELETE", field, { token })).toMatchObject({ status: 200 });
  const missing = { status: 404, body: { errcode: "M_NOT_FOUND" } };
  expect(await ask("GET", field)).toMatchObject(missing);
  expect(await ask("GET", `${path}/toString`)).toMatchObject(missing);
  expect(await ask("GET", `${v3}/profile/@bob:home.example`)).toMatchObject(missing);
  expect(await ask("PUT", `${path}/displayname`, { token, body: { name: "A" } })).toMatchObject({
    status: 400,
    body: { errcode: "M_MISSING_PARAM" },
  });
  expect(await ask("PUT", `${path}/displayname`, { body: { displayname: "A" } })).toMatchObject({
    status: 401,
    body: { errcode: "M_MISSING_TOKEN" },
  });
});

test.each<[method: string, path: string, status: number, answer: JsonObject]>([
  ["GET", "/account/3pid", 200, { threepids: [] }],
  ["POST", "/account/3pid", 403, { errcode: "M_THREEPID_AUTH_FAILED" }],
  ["POST", "/account/3pid/add", 400, { errcode: "M_THREEPID_AUTH_FAILED" }],
  ["POST", "/account/3pid/bind", 400, { errcode: "M_SERVER_NOT_TRUSTED" }],
  ["POST", "/account/3pid/delete", 200, { id_server_unbind_result: "no-support" }],
  ["POST", "/account/3pid/unbind", 200, { id_server_unbind_result: "no-support" }],
  ["POST", "/account/3pid/email/requestToken", 400, { errcode: "M_THREEPID_MEDIUM_NOT_SUPPORTED" }],
  ["POST", "/account/3pid/msisdn/requestToken", 400, { errcode: "M_THREEPID_MEDIUM_NOT_SUPPORTED" }],
  ["POST", "/account/password/email/requestToken", 400, { errcode: "M_THREEPID_NOT_FOUND" }],
  ["POST", "/account/password/msisdn/requestToken", 400, { errcode: "M_THREEPID_NOT_FOUND" }],
  ["POST", "/register/email/requestToken", 403, { errcode: "M_THREEPID_DENIED" }],
  ["POST", "/register/msisdn/requestToken", 403, { errcode: "M_THREEPID_DENIED" }],
])("no addresses are kept: %s %s", async (method, path, status, answer) => {
  const { ask } = await home();
  const token = await registered(ask, "alice");
  const removal = { medium: "email", address: "a@example.org" };
  const validation = {
    client_secret: "s",
    send_attempt: 1,
    email: "a@b.c",
    country: "GB",
    phone_number: "1",
  };
  const validated = { three_pid_creds: {}, sid: "1", id_server: "i.example", id_access_token: "t" };
  const body = method === "POST" ? { body: { ...removal, ...validation, ...validated } } : {};
  expect(await ask(method, `${v3}${path}`, { token, ...body })).toMatchObject({ status, body: answer });
  if (method === "POST") {
    expect(await ask(method, `${v3}${path}`, { token, body: {} })).toMatchObject({
      status: 400,
      body: { errcode: "M_MISSING_PARAM" },
    });
  }
});
