import { expect, test } from "vitest";
import { loginTokenLifetimeMs } from "../../../src/worker-roomserver/users/login-tokens.ts";
import {
  error,
  type LoggedIn,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

/** Alice, and a token with which another device of hers may log in. */
async function withToken(): Promise<{ users: TestUsers; token: string }> {
  const users = await testUsers();
  const alice = await requesterOf(users, await register(users, "alice"));
  const made = await users.createLoginToken(request(), alice, passwordAuth("alice"));
  if (!("login_token" in made)) throw new Error("the password should have been enough");
  expect(made.expires_in_ms).toBe(loginTokenLifetimeMs);
  return { users, token: made.login_token };
}
const logIn = async (users: TestUsers, token: string, id = request()) =>
  (await users.login(id, { type: "m.login.token", token })) as LoggedIn;

test("a login token lets one device log in, also under the next leader", async () => {
  const { users, token } = await withToken();
  const next = await users.reopen();
  const session = await logIn(next, token);
  expect((await requesterOf(next, session)).userId).toBe("@alice:home.example");
  await expect(logIn(next, token)).rejects.toEqual(error("M_FORBIDDEN", 403));
});

test("of two logins at once one succeeds", async () => {
  const { users, token } = await withToken();
  const outcomes = await Promise.allSettled([logIn(users, token), logIn(users, token)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("the same login sent again is answered as the first time", async () => {
  const { users, token } = await withToken();
  const id = request();
  const first = await logIn(users, token, id);
  expect(await logIn(await users.reopen(), token, id)).toEqual(first);
});

test("it lasts two minutes", async () => {
  const { users, token } = await withToken();
  users.world.time += loginTokenLifetimeMs - 1;
  await logIn(users, token);
  const other = await withToken();
  other.users.world.time += loginTokenLifetimeMs;
  await expect(logIn(other.users, other.token)).rejects.toEqual(error("M_FORBIDDEN", 403));
});

test("it takes the password to get one", async () => {
  const users = await testUsers();
  const alice = await requesterOf(users, await register(users, "alice"));
  expect(await users.createLoginToken(request(), alice, undefined)).toHaveProperty("uia.flows");
});

test("an access token is no login token, and a login token no access token", async () => {
  const { users, token } = await withToken();
  const { access_token } = await register(users, "bob");
  await expect(logIn(users, access_token ?? "")).rejects.toEqual(error("M_FORBIDDEN", 403));
  await expect(users.authenticate(token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
});

test("it is worth nothing once the account is deactivated", async () => {
  const { users, token } = await withToken();
  const alice = await requesterOf(users, await login(users, "alice"));
  await users.deactivate(request(), alice, { auth: passwordAuth("alice") });
  await expect(logIn(users, token)).rejects.toEqual(error("M_FORBIDDEN", 403));
});
