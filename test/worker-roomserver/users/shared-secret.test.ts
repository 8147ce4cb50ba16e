import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Settings } from "../../../src/worker-roomserver/settings/api.ts";
import { error, login, request, type TestUsers, testUsers } from "../support/users.ts";

const SECRET = "a shared secret";
const homeserver = (more: Partial<Settings> = {}) =>
  testUsers({ registration: "closed", registration_secret: SECRET, ...more });

const encoder = new TextEncoder();

/** HMAC-SHA1, hexadecimal, over the parts with NULs between them. */
async function macOf(parts: readonly string[], secret = SECRET): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(parts.join("\0")));
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A request that is in order but for what is changed in it. */
async function order(users: TestUsers, change: JsonObject = {}, signed: JsonObject = change) {
  const { nonce } = await users.sharedSecretNonce();
  const all = { nonce, username: "bob", password: "abc123", ...signed };
  const { username, password, admin, user_type: type } = all as JsonObject;
  const parts = [all.nonce, username, password, admin === true ? "admin" : "notadmin"].map(String);
  const mac = await macOf(typeof type === "string" ? [...parts, type] : parts);
  return { nonce, username: "bob", password: "abc123", mac, ...change };
}

const register = (users: TestUsers, body: JsonObject) => users.registerWithSecret(request(), body);

describe("who has the shared secret", () => {
  // What Synapse's own tests ask of it (tests/rest/admin/test_user.py), in the order that they have there.
  test("is told so where there is none", async () => {
    const users = await testUsers();
    const refused = {
      errcode: "M_UNKNOWN",
      status: 400,
      message: "Shared secret registration is not enabled",
    };
    await expect(register(users, {})).rejects.toMatchObject(refused);
    await expect(users.sharedSecretNonce()).rejects.toMatchObject(refused);
  });

  test("has a minute to use a nonce, which serves once whatever comes with it", async () => {
    const users = await homeserver();
    const inTime = await order(users);
    users.world.time += 60_000;
    await expect(register(users, { nonce: inTime.nonce })).rejects.toMatchObject({
      message: "username must be specified",
    });
    await expect(register(users, inTime)).rejects.toMatchObject({ message: "unrecognised nonce" });
    const late = await order(users);
    users.world.time += 60_001;
    await expect(register(users, late)).rejects.toMatchObject({ message: "unrecognised nonce", status: 400 });
  });

  test("makes an account, an administrator where the MAC says so, and is logged in with it", async () => {
    const users = await homeserver();
    const made = await register(users, await order(users, { admin: true, user_type: "support" }));
    expect(made).toMatchObject({ user_id: "@bob:home.example", home_server: "home.example" });
    const { requester } = await users.authenticate(made.access_token!);
    expect(requester).toMatchObject({ admin: true, deviceId: made.device_id });
    expect((await login(users, "bob", { password: "abc123" })).user_id).toBe(made.user_id);
    const other = await register(users, await order(users, { username: "carol", admin: false }));
    expect((await users.authenticate(other.access_token!)).requester.admin).toBe(false);
  });

  test("makes no administrator by being the first", async () => {
    const users = await homeserver();
    const made = await register(users, await order(users));
    expect((await users.authenticate(made.access_token!)).requester.admin).toBe(false);
  });

  test.each<[what: string, change: JsonObject, signed: JsonObject]>([
    ["another nonce", {}, { nonce: "notthenonce" }],
    ["another name", {}, { username: "alice" }],
    ["another password", {}, { password: "other" }],
    ["an administrator", {}, { admin: true }],
    ["no administrator", { admin: true }, {}],
    ["no user type", { user_type: "bot" }, {}],
    ["a MAC that is none", { mac: "zz" }, {}],
    ["a MAC of the wrong length", { mac: "abcd" }, {}],
  ])("is refused where what was signed is %s", async (_, change, signed) => {
    const users = await homeserver();
    const body = await order(users, change, signed);
    await expect(register(users, body)).rejects.toMatchObject({
      ...{ errcode: "M_FORBIDDEN", status: 403, message: "HMAC incorrect" },
    });
    expect(await users.isLocalAccount("@bob:home.example")).toBe(false);
  });

  test("is refused with another secret", async () => {
    const users = await homeserver();
    const { nonce } = await users.sharedSecretNonce();
    const mac = await macOf([nonce, "bob", "abc123", "notadmin"], "not the secret");
    const body = { nonce, username: "bob", password: "abc123", mac };
    await expect(register(users, body)).rejects.toEqual(error("M_FORBIDDEN", 403));
  });

  test("cannot use a nonce again", async () => {
    const users = await homeserver();
    const body = await order(users);
    await register(users, body);
    await expect(register(users, body)).rejects.toMatchObject({ message: "unrecognised nonce", status: 400 });
  });

  test("gets the same answer to the same request, as when a leader died before it was answered", async () => {
    const users = await homeserver();
    const body = await order(users);
    const name = request();
    const made = await users.registerWithSecret(name, body);
    const next = await users.reopen();
    expect(await next.registerWithSecret(name, body)).toEqual(made);
  });

  test.each<[message: string, change: JsonObject]>([
    ["username must be specified", { username: undefined }],
    ["Invalid username", { username: 1234 }],
    ["Invalid username", { username: "abcd\0" }],
    ["Invalid username", { username: "a".repeat(1000) }],
    ["password must be specified", { password: undefined }],
    ["Invalid password", { password: 1234 }],
    ["Invalid password", { password: "abcd\0" }],
    ["Invalid password", { password: "A".repeat(1000) }],
    ["Invalid user type", { user_type: "invalid" }],
    ["Invalid displayname", { displayname: 17 }],
    ["Invalid displayname", { displayname: "x".repeat(257) }],
    ["mac must be specified", { mac: undefined }],
  ])("%s", async (message, change) => {
    const users = await homeserver();
    await expect(register(users, await order(users, change))).rejects.toMatchObject({ status: 400, message });
  });

  test("says what is missing first of all", async () => {
    const users = await homeserver();
    await expect(register(users, {})).rejects.toMatchObject({
      ...{ errcode: "M_BAD_JSON", status: 400, message: "nonce must be specified" },
    });
  });

  test.each<[displayname: string | null | undefined, profile: object]>([
    [undefined, { displayname: "bob" }],
    [null, { displayname: "bob" }],
    ["", {}],
    ["Bob's Name", { displayname: "Bob's Name" }],
  ])("with the display name %j", async (displayname, profile) => {
    const users = await homeserver();
    await register(users, await order(users, displayname === undefined ? {} : { displayname }));
    expect(await users.profile("@bob:home.example")).toEqual(profile);
  });

  test("may want no login, or a device of its choice", async () => {
    const users = await homeserver();
    expect(await register(users, await order(users, { inhibit_login: true }))).toEqual({
      user_id: "@bob:home.example",
      home_server: "home.example",
    });
    const body = await order(users, { username: "carol", device_id: "BOT" });
    expect(await register(users, body)).toMatchObject({ device_id: "BOT" });
  });

  test("cannot have a name that is taken, in whatever letters", async () => {
    const users = await homeserver();
    await register(users, await order(users));
    const again = await order(users, { username: "BOB" });
    await expect(register(users, again)).rejects.toEqual(error("M_USER_IN_USE", 400));
  });

  test("finds a nonce that was just asked for, however many others ask", async () => {
    const users = await homeserver();
    const first = await order(users);
    for (let n = 0; n < 1_000; n++) await users.sharedSecretNonce();
    const last = await order(users, { username: "carol" });
    await expect(register(users, first)).rejects.toMatchObject({ message: "unrecognised nonce" });
    expect(await register(users, last)).toMatchObject({ user_id: "@carol:home.example" });
  });
});
