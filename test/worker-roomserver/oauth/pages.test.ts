import { describe, expect, test } from "vitest";
import type { AccountAct, AccountPage, Page } from "../../../src/worker-roomserver/oauth/api.ts";
import { pageLifetimeMs } from "../../../src/worker-roomserver/oauth/parts.ts";
import { resetLifetimeMs } from "../../../src/worker-roomserver/oauth/secrets.ts";
import { guessBudgets } from "../../../src/worker-roomserver/users/guess-limits.ts";
import {
  codeFor,
  consentTo,
  expectPage,
  type OAuthHome,
  oauthHome,
  queryFor,
  redeem,
  redirectUri,
  works,
} from "../support/oauth.ts";
import { challenge, error, login, passwordAuth, request, requesterOf } from "../support/users.ts";

describe("the authorisation endpoint", () => {
  test("shows who asks, and who may be meant", async () => {
    const home = await oauthHome();
    const query = { ...(await queryFor(home)), login_hint: "mxid:@alice:home.example" };
    expect(await home.oauth.open({ for: "authorize", query })).toEqual({
      page: "signIn",
      user: "@alice:home.example",
      registration: "open",
      client: { name: "An app", uri: "https://example.com/" },
      redirectUri,
    });
    expect(await home.oauth.open({ for: "authorize", query: { ...query, prompt: "create" } })).toMatchObject({
      page: "create",
    });
    expect(await home.users.storage.getAllKeys("oauthSecrets")).toEqual([]);
  });

  test("sends nobody to where no client is", async () => {
    const home = await oauthHome();
    const query = await queryFor(home);
    const open = (change: object) => home.oauth.open({ for: "authorize", query: { ...query, ...change } });
    await expect(open({ client_id: "x" })).rejects.toEqual(error("invalid_client", 401));
    await expect(open({ client_id: undefined })).rejects.toEqual(error("invalid_request", 400));
    await expect(open({ redirect_uri: "https://evil.example/" })).rejects.toEqual(
      error("invalid_request", 400),
    );
  });

  test("sends the browser back with what is wrong otherwise, before and after the password", async () => {
    const home = await oauthHome();
    const query = { ...(await queryFor(home)), code_challenge_method: "plain" };
    const target = { for: "authorize", query } as const;
    for (const page of [await home.oauth.open(target), await home.oauth.signIn(target, "alice", "secret")]) {
      expect(expectPage(page, "redirect").to).toMatch(
        /^https:\/\/app\.example\.com\/callback#error=invalid_request&/,
      );
    }
  });

  test("asks again after a wrong password, for as long as there are guesses left", async () => {
    const home = await oauthHome();
    const target = { for: "authorize", query: await queryFor(home) } as const;
    for (let i = 0; i < guessBudgets.each.burst; i++) {
      const page = expectPage(await home.oauth.signIn(target, "alice", "wrong"), "signIn");
      expect(page).toMatchObject({
        user: "alice",
        problem: expect.stringMatching(/wrong/),
        client: { name: "An app" },
      });
    }
    const page = expectPage(await home.oauth.signIn(target, "alice", "secret"), "signIn");
    expect(page.problem).toMatch(/wait/);
    await expect(login(home.users, "alice")).rejects.toEqual(error("M_LIMIT_EXCEEDED", 429));
  });
});

describe("a new account", () => {
  const account = { user: "bob", password: "new", passwordAgain: "new" };

  test("is made, and goes on to what it was made for", async () => {
    const home = await oauthHome();
    const target = { for: "authorize", query: await queryFor(home) } as const;
    const page = expectPage(await home.oauth.createAccount(request(), target, account), "consent");
    expect(page.userId).toBe("@bob:home.example");
    expect(await home.users.isLocalAccount("@bob:home.example")).toBe(true);
    expectPage(await home.oauth.decide(page.session, true), "redirect");
  });

  test.each<[why: string, change: object, problem: RegExp]>([
    ["the name is taken", { user: "alice" }, /taken/],
    ["the name cannot be one", { user: "b b" }, /username/],
    ["there is no password", { password: "", passwordAgain: "" }, /empty/],
    ["the passwords differ", { passwordAgain: "other" }, /differ/],
  ])("is not, when %s", async (_, change, problem) => {
    const home = await oauthHome();
    const target = { for: "authorize", query: await queryFor(home) } as const;
    const page = await home.oauth.createAccount(request(), target, { ...account, ...change });
    expect(expectPage(page, "create").problem).toMatch(problem);
    expect(await home.users.storage.getAllKeys("accounts")).toEqual(["@alice:home.example"]);
  });

  test("takes a token where one is needed, and is not made where none is given out", async () => {
    const home = await oauthHome({ registration: "token" });
    const target = { for: "authorize", query: await queryFor(home) } as const;
    const { token } = await home.users.console.createRegistrationToken(crypto.randomUUID(), {
      uses_allowed: 1,
    });
    const create = (more: object) => home.oauth.createAccount(request(), target, { ...account, ...more });
    expect(expectPage(await create({}), "create").problem).toMatch(/token/);
    expectPage(await create({ token }), "consent");
    home.users.world.settings.registration = "closed";
    expect(expectPage(await create({ user: "carol" }), "create")).toMatchObject({
      registration: "closed",
      problem: expect.stringMatching(/no accounts/),
    });
  });
});

describe("the account page", () => {
  async function opened(home: OAuthHome): Promise<AccountPage> {
    const target = { for: "account", action: "org.matrix.devices_list" } as const;
    expect(await home.oauth.open(target)).toMatchObject({ page: "signIn" });
    return expectPage(await home.oauth.signIn(target, "alice", "secret"), "account");
  }
  const manage = (home: OAuthHome, { session }: AccountPage, act: AccountAct): Promise<Page> =>
    home.oauth.manage(request(), session, act);

  test("shows what there is, and changes it", async () => {
    const home = await oauthHome();
    const { access_token } = await redeem(home, await codeFor(home));
    const page = await opened(home);
    expect(page).toMatchObject({
      userId: "@alice:home.example",
      displayName: "alice",
      action: "org.matrix.devices_list",
      devices: [{ device_id: "PHONE", display_name: "An app" }],
    });
    expect(await manage(home, page, { act: "rename", displayName: "Alice" })).toMatchObject({
      displayName: "Alice",
      done: expect.any(String),
    });
    expect(await home.users.profile("@alice:home.example")).toMatchObject({ displayname: "Alice" });
    expect(await manage(home, page, { act: "endDevice", deviceId: "PHONE" })).toMatchObject({ devices: [] });
    expect(await works(home, access_token)).toBe(false);
    expect(await manage(home, page, { act: "show" })).toMatchObject({ page: "account", devices: [] });
  });

  test("says why something was not done", async () => {
    const home = await oauthHome();
    const page = await opened(home);
    const long = await manage(home, page, { act: "rename", displayName: "x".repeat(100_000) });
    expect(long).toMatchObject({ page: "account", displayName: "alice", problem: expect.any(String) });
  });

  test("deactivates the account of whoever gives the password again", async () => {
    const home = await oauthHome();
    const page = await opened(home);
    const deactivate = (password: string) => manage(home, page, { act: "deactivate", password, erase: true });
    expect(await deactivate("wrong")).toMatchObject({
      page: "account",
      problem: expect.stringMatching(/password/),
    });
    expect(await home.users.isLocalAccount("@alice:home.example")).toBe(true);
    expect(await deactivate("secret")).toMatchObject({ page: "done", what: "deactivated" });
    expect(await home.users.isLocalAccount("@alice:home.example")).toBe(false);
    await expect(manage(home, page, { act: "show" })).rejects.toEqual(error("invalid_request", 400));
  });

  test("ends after a while, and is no page of another kind", async () => {
    const home = await oauthHome();
    const page = await opened(home);
    const ended = error("invalid_request", 400);
    await expect(home.oauth.decide(page.session, true)).rejects.toEqual(ended);
    const consent = await consentTo(home, { for: "authorize", query: await queryFor(home) });
    const asAccount = home.oauth.manage(request(), consent.session, { act: "show" });
    await expect(asAccount).rejects.toEqual(ended);
    await expect(home.oauth.manage(request(), "guessed", { act: "show" })).rejects.toEqual(ended);
    await expect(home.oauth.decide(await codeFor(home), true)).rejects.toEqual(ended);
    await expect(redeem(home, page.session)).rejects.toEqual(error("invalid_grant", 400));
    home.users.world.time += pageLifetimeMs;
    await expect(manage(home, page, { act: "show" })).rejects.toEqual(ended);
  });

  describe("lets cross-signing keys be replaced", () => {
    const purpose = "keys";

    test("by a device that came by OAuth, for ten minutes from when its user said so", async () => {
      const home = await oauthHome();
      const { access_token } = await redeem(home, await codeFor(home));
      const { requester } = await home.users.authenticate(access_token);
      const confirm = (auth?: object) =>
        home.oauth.confirmCrossSigningReset(
          requester,
          purpose,
          auth as Parameters<typeof home.oauth.confirmCrossSigningReset>[2],
        );
      const asked = challenge((await confirm())!);
      const url = "/_hearth/oauth/account?action=org.matrix.cross_signing_reset";
      expect(asked).toMatchObject({
        flows: expect.arrayContaining([{ stages: ["m.oauth"] }]),
        params: { "m.oauth": { url } },
        session: expect.any(String),
      });
      const auth = { session: asked.session };
      expect(challenge((await confirm(auth))!)).toMatchObject({ session: asked.session });
      // The password is not a way to authenticate for such a device.
      expect(await confirm(passwordAuth("alice"))).toHaveProperty("uia");
      expect(await home.oauth.crossSigningResetAllowed(requester.userId)).toBe(false);

      const page = await opened(home);
      await manage(home, page, { act: "resetCrossSigning" });
      expect(await confirm(auth)).toBeUndefined();
      const next = await home.reopen();
      expect(await next.oauth.crossSigningResetAllowed(requester.userId)).toBe(true);
      expect(await next.oauth.crossSigningResetAllowed("@bob:home.example")).toBe(false);
      next.users.world.time += resetLifetimeMs;
      expect(await next.oauth.crossSigningResetAllowed(requester.userId)).toBe(false);
    });

    test("by any other with the user's password", async () => {
      const home = await oauthHome();
      const requester = await requesterOf(home.users, await login(home.users, "alice"));
      const confirm = (auth?: ReturnType<typeof passwordAuth>) =>
        home.oauth.confirmCrossSigningReset(requester, purpose, auth);
      expect(challenge((await confirm())!)).toMatchObject({ flows: [{ stages: ["m.login.password"] }] });
      expect(await confirm(passwordAuth("alice"))).toBeUndefined();
    });
  });
});

test("what has expired is removed, however much it is, and nothing else", async () => {
  const home = await oauthHome();
  const { storage, world } = home.users;
  await storage.commit((write) => {
    for (let i = 0; i < 1_200; i++) {
      write.put("oauthSecrets", { kind: "reset", expiresAt: world.time - i }, `old${i}`);
      write.put("oauthSecrets", { kind: "reset", expiresAt: world.time + 1 + i }, `new${i}`);
    }
  });
  for await (const _ of home.oauth.dropExpired());
  const keys = await storage.getAllKeys("oauthSecrets");
  expect(keys).toHaveLength(1_200);
  expect(keys.filter((key) => key.startsWith("old"))).toEqual([]);
});
