import { expect, test } from "vitest";
import { openIdLifetimeMs, openIdTokensKept } from "../../../src/worker-roomserver/users/openid-tokens.ts";
import { done, error, passwordAuth, register, request, requesterOf, testUsers } from "../support/users.ts";

const unknown = error("M_UNKNOWN_TOKEN", 401);

async function home() {
  const users = await testUsers();
  const session = await register(users, "alice", { refresh_token: true });
  const alice = await requesterOf(users, session);
  const create = () => users.createOpenIdToken(request(), alice, alice.userId);
  return { users, session, alice, create };
}

test("says who its user is, for an hour, and is good for nothing else", async () => {
  const { users, alice, create } = await home();
  const token = await create();
  expect(token).toEqual({
    access_token: expect.any(String),
    token_type: "Bearer",
    matrix_server_name: "home.example",
    expires_in: 3600,
  });
  expect(await users.openIdUser(token.access_token)).toEqual({ sub: alice.userId });
  await expect(users.authenticate(token.access_token)).rejects.toEqual(unknown);
  users.world.time += openIdLifetimeMs - 1;
  expect(await users.openIdUser(token.access_token)).toEqual({ sub: alice.userId });
  users.world.time += 1;
  await expect(users.openIdUser(token.access_token)).rejects.toEqual(unknown);
});

test("an access token is no OpenID token, and nobody speaks for another", async () => {
  const { users, session, alice } = await home();
  await expect(users.openIdUser(session.access_token)).rejects.toEqual(unknown);
  await expect(users.openIdUser("x")).rejects.toEqual(unknown);
  const forOther = users.createOpenIdToken(request(), alice, "@bob:home.example");
  await expect(forOther).rejects.toEqual(error("M_FORBIDDEN", 403));
});

test("is stored as a hash, outlives the leader and a refresh, and ends with the account", async () => {
  const { users, session, alice, create } = await home();
  const { access_token: token } = await create();
  expect(JSON.stringify(await users.storage.getAllKeys("tokens"))).not.toContain(token);
  const next = await users.reopen();
  await next.refresh(request(), session.refresh_token!);
  expect(await next.openIdUser(token)).toEqual({ sub: alice.userId });
  done(await next.deactivate(request(), alice, { auth: passwordAuth("alice") }));
  await expect(next.openIdUser(token)).rejects.toEqual(unknown);
});

test("the same request gets the same token", async () => {
  const { users, alice } = await home();
  const name = request();
  const create = () => users.createOpenIdToken(name, alice, alice.userId);
  expect(await create()).toEqual(await create());
});

test("expired ones go, and of too many the oldest", async () => {
  const { users, create } = await home();
  const stored = async () =>
    (await users.storage.getAll("tokens")).filter(({ kind }) => kind === "openid").length;
  const first = await create();
  for (let i = 1; i < openIdTokensKept; i++) {
    users.world.time += 1;
    await create();
  }
  expect(await stored()).toBe(openIdTokensKept);
  expect(await users.openIdUser(first.access_token)).toEqual({ sub: "@alice:home.example" });
  users.world.time += 1;
  const newest = await create();
  expect(await stored()).toBe(openIdTokensKept);
  await expect(users.openIdUser(first.access_token)).rejects.toEqual(unknown);
  expect(await users.openIdUser(newest.access_token)).toEqual({ sub: "@alice:home.example" });
  users.world.time += openIdLifetimeMs;
  await create();
  expect(await stored()).toBe(1);
});
