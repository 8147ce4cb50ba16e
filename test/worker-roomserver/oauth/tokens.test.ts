import { describe, expect, test } from "vitest";
import { spentTokenKeptMs } from "../../../src/worker-roomserver/users/sessions.ts";
import { codeFor, type OAuthHome, oauthHome, redeem, refreshed, works } from "../support/oauth.ts";
import { error, login, passwordAuth, request, requesterOf } from "../support/users.ts";

const refusal = error("invalid_grant", 400);
const loggedIn = async (home: OAuthHome) => redeem(home, await codeFor(home));

describe("a refresh token", () => {
  test("gives others, and stays good until they are used: an answer may get lost", async () => {
    const home = await oauthHome();
    const first = await loggedIn(home);
    await refreshed(home, first.refresh_token);
    const second = await refreshed(home, first.refresh_token);
    expect(second).toEqual({
      access_token: expect.any(String),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: expect.any(String),
    });
    expect(await works(home, first.access_token)).toBe(true);
    expect(await works(home, second.access_token)).toBe(true);
    expect(await works(home, first.access_token)).toBe(false);
    expect(await refreshed(home, second.refresh_token)).toHaveProperty("access_token");
  });

  test("is for its client alone, and for OAuth alone", async () => {
    const home = await oauthHome();
    const { refresh_token } = await loggedIn(home);
    await expect(refreshed(home, refresh_token, { client_id: "other" })).rejects.toEqual(refusal);
    await expect(home.users.refresh(request(), refresh_token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
    const legacy = await login(home.users, "alice", { refresh_token: true });
    await expect(refreshed(home, legacy.refresh_token!)).rejects.toEqual(refusal);
    expect(await home.users.refresh(request(), legacy.refresh_token!)).toHaveProperty("access_token");
    expect(await refreshed(home, refresh_token)).toHaveProperty("access_token");
  });

  test.each(["by its access token", "by its refresh token"])(
    "that was good once ends the login, once its successor was used %s",
    async (how) => {
      const home = await oauthHome();
      const first = await loggedIn(home);
      let last = await refreshed(home, first.refresh_token);
      if (how === "by its access token") expect(await works(home, last.access_token)).toBe(true);
      else last = await refreshed(home, last.refresh_token);
      expect(await works(home, last.access_token)).toBe(true);
      await expect(refreshed(home, first.refresh_token)).rejects.toEqual(refusal);
      expect(await works(home, last.access_token)).toBe(false);
      expect(await home.users.storage.getAllKeys("devices")).toEqual([]);
    },
  );

  test("that was good in an earlier login of the device ends nothing", async () => {
    const home = await oauthHome();
    const old = await loggedIn(home);
    expect(await works(home, (await refreshed(home, old.refresh_token)).access_token)).toBe(true);
    const fresh = await loggedIn(home);
    await expect(refreshed(home, old.refresh_token)).rejects.toEqual(refusal);
    expect(await works(home, fresh.access_token)).toBe(true);
  });

  test("is forgotten a week after it was good", async () => {
    const home = await oauthHome();
    const first = await loggedIn(home);
    expect(await works(home, (await refreshed(home, first.refresh_token)).access_token)).toBe(true);
    const kinds = async () => (await home.users.storage.getAll("tokens")).map(({ kind }) => kind).sort();
    home.users.world.time += spentTokenKeptMs - 1;
    for await (const _ of home.users.dropOldTokens());
    expect(await kinds()).toEqual(["access", "refresh", "spent"]);
    home.users.world.time += 1;
    for await (const _ of home.users.dropOldTokens());
    expect(await kinds()).toEqual(["access", "refresh"]);
  });
});

describe("revocation", () => {
  test.each(["access_token", "refresh_token"] as const)("of the %s ends the device", async (which) => {
    const home = await oauthHome();
    const other = await redeem(home, await codeFor(home, "OTHER"));
    const tokens = await loggedIn(home);
    await home.oauth.revoke(tokens[which]);
    expect(await works(home, tokens.access_token)).toBe(false);
    await expect(refreshed(home, tokens.refresh_token)).rejects.toEqual(refusal);
    expect(await home.users.storage.getAllKeys("devices")).toEqual([["@alice:home.example", "OTHER"]]);
    expect(await works(home, other.access_token)).toBe(true);
    await home.oauth.revoke(tokens[which]);
    await home.oauth.revoke("what is no token");
    expect(await works(home, other.access_token)).toBe(true);
  });

  test("does not take what is not a device's", async () => {
    const home = await oauthHome();
    const alice = await requesterOf(home.users, await login(home.users, "alice"));
    const made = await home.users.createLoginToken(request(), alice, passwordAuth("alice"));
    if (!("login_token" in made)) throw new Error("no login token");
    await home.oauth.revoke(made.login_token);
    const body = { type: "m.login.token", token: made.login_token };
    expect(await home.users.login(request(), body)).toHaveProperty("access_token");
  });
});

test.each<[form: object, code: string]>([
  [{ grant_type: "password" }, "unsupported_grant_type"],
  [{ grant_type: "refresh_token", client_id: "x" }, "invalid_request"],
  [{ grant_type: "refresh_token", refresh_token: "x" }, "invalid_request"],
  [{ grant_type: "refresh_token", client_id: "x", refresh_token: "x" }, "invalid_grant"],
  [{ grant_type: "authorization_code" }, "invalid_request"],
  [{ grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id: "x" }, "invalid_request"],
])("%j is refused", async (form, errcode) => {
  const home = await oauthHome();
  const asked = home.oauth.token(request(), form as { grant_type: string });
  await expect(asked).rejects.toEqual(error(errcode, 400));
});
