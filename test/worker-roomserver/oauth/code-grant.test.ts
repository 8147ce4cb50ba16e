import fc from "fast-check";
import { describe, expect, inject, test, vi } from "vitest";
import { codeLifetimeMs } from "../../../src/worker-roomserver/oauth/code-grant.ts";
import { pageLifetimeMs } from "../../../src/worker-roomserver/oauth/parts.ts";
import {
  codeFor,
  consentTo,
  expectPage,
  type OAuthHome,
  oauthHome,
  queryFor,
  redeem,
  scopeOf,
  works,
} from "../support/oauth.ts";
import { diesAfterNextUnit } from "../support/rounds.ts";
import { error, failNextCommit, login, passwordAuth, request, requesterOf } from "../support/users.ts";

const refusal = error("invalid_grant", 400);

test("a code gives tokens of the device that was asked for, and lasts no longer than it may", async () => {
  const home = await oauthHome();
  const code = await codeFor(home);
  const answer = await redeem(home, code);
  expect(answer).toEqual({
    access_token: expect.stringMatching(/^hearth_access_/),
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: expect.stringMatching(/^hearth_refresh_/),
    scope: scopeOf("PHONE"),
  });
  const { requester, expiresAt } = await home.users.authenticate(answer.access_token);
  expect(requester).toMatchObject({ userId: "@alice:home.example", deviceId: "PHONE" });
  expect(expiresAt).toBe(home.users.world.time + 3_600_000);
  expect(await home.users.devices(requester)).toMatchObject([{ device_id: "PHONE", display_name: "An app" }]);

  const last = await codeFor(home, "B");
  home.users.world.time += codeLifetimeMs - 1;
  expect(await redeem(home, last)).toHaveProperty("access_token");
  const late = await codeFor(home, "C");
  home.users.world.time += codeLifetimeMs;
  await expect(redeem(home, late)).rejects.toEqual(refusal);
});

test("a device that is there is the same one, and its tokens end", async () => {
  const home = await oauthHome();
  const before = await login(home.users, "alice", {
    device_id: "PHONE",
    initial_device_display_name: "Mine",
  });
  const query = await queryFor(home);
  expect(await consentTo(home, { for: "authorize", query })).toMatchObject({ replaces: "Mine" });
  const { access_token } = await redeem(home, await codeFor(home));
  expect(await works(home, before.access_token)).toBe(false);
  const { requester } = await home.users.authenticate(access_token);
  expect(await home.users.devices(requester)).toMatchObject([{ device_id: "PHONE", display_name: "Mine" }]);
});

describe("a code is worth nothing", () => {
  test.each<[to: string, change: object, code: string]>([
    ["another client", { client_id: "other" }, "invalid_grant"],
    ["another address", { redirect_uri: "com.example.app:/callback" }, "invalid_grant"],
    ["who does not know the verifier", { code_verifier: "x".repeat(43) }, "invalid_grant"],
    ["who knows the challenge alone", { code_verifier: "x" }, "invalid_grant"],
    ["who names no client", { client_id: undefined }, "invalid_request"],
    ["who names no address", { redirect_uri: undefined }, "invalid_request"],
    ["who has no verifier", { code_verifier: undefined }, "invalid_request"],
    ["who has no code", { code: undefined }, "invalid_request"],
    ["who guesses", { code: "hearth_code_x" }, "invalid_grant"],
  ])("to %s, and goes on being good", async (_, change, errcode) => {
    const home = await oauthHome();
    const code = await codeFor(home);
    await expect(redeem(home, code, change)).rejects.toEqual(error(errcode, 400));
    expect(await redeem(home, code)).toHaveProperty("access_token");
  });

  test.each<[when: string, change: (home: OAuthHome) => Promise<unknown>]>([
    [
      "the password was changed",
      async ({ users }) => {
        const requester = await requesterOf(users, await login(users, "alice"));
        const auth = passwordAuth("alice");
        return users.changePassword(request(), requester, { new_password: "new", auth });
      },
    ],
    [
      "the account was deactivated",
      async ({ users }) => {
        const requester = await requesterOf(users, await login(users, "alice"));
        return users.deactivate(request(), requester, { auth: passwordAuth("alice") });
      },
    ],
  ])("once %s", async (_, change) => {
    const home = await oauthHome();
    const code = await codeFor(home);
    expect(await change(home)).not.toHaveProperty("uia");
    await expect(redeem(home, code)).rejects.toEqual(refusal);
  });
});

test("nothing in the database is a code, or a page's secret", async () => {
  const home = await oauthHome();
  const query = await queryFor(home);
  const { session } = await consentTo(home, { for: "authorize", query });
  const code = await codeFor(home, "B");
  const [keys, rows] = await Promise.all([
    home.users.storage.getAllKeys("oauthSecrets"),
    home.users.storage.getAll("oauthSecrets"),
  ]);
  const text = JSON.stringify([keys, rows]);
  expect(rows.map(({ kind }) => kind).sort()).toEqual(["code", "page"]);
  for (const secret of [session, code, "secret"]) expect(text).not.toContain(`"${secret}"`);
});

test("who comes with a code again ends what it gave, and nothing else", async () => {
  const home = await oauthHome();
  const other = await redeem(home, await codeFor(home, "OTHER"));
  const code = await codeFor(home);
  const given = await redeem(home, code);
  await expect(redeem(home, code)).rejects.toEqual(refusal);
  expect(await works(home, given.access_token)).toBe(false);
  expect(await works(home, other.access_token)).toBe(true);
  // The device may have logged in anew since.
  const again = await redeem(home, await codeFor(home));
  await expect(redeem(home, code)).rejects.toEqual(refusal);
  expect(await works(home, again.access_token)).toBe(true);
});

test("the same request is answered as the first time, also by the next leader", async () => {
  const home = await oauthHome();
  const code = await codeFor(home);
  const id = request();
  const [first, same] = await Promise.all([redeem(home, code, {}, id), redeem(home, code, {}, id)]);
  expect(same).toEqual(first);
  const next = await home.reopen();
  expect(await redeem(next, code, {}, id)).toEqual(first);
  expect(await works(next, first.access_token)).toBe(true);
});

test("a leader that dies right after the login has used the code up", async () => {
  const home = await oauthHome();
  const code = await codeFor(home);
  const died = diesAfterNextUnit(home.users.storage);
  void redeem(home, code).catch(() => undefined);
  await died;
  const next = await home.reopen();
  expect(await next.users.storage.getAllKeys("devices")).toEqual([["@alice:home.example", "PHONE"]]);
  await expect(redeem(next, code)).rejects.toEqual(refusal);
  expect(await next.users.storage.getAllKeys("devices")).toEqual([]);
});

type Step = { step: "redeem"; times: number } | { step: "reopen" } | { step: "fail" };
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ step: fc.constant("redeem" as const), times: fc.integer({ min: 1, max: 3 }) }),
    },
    fc.constant<Step>({ step: "reopen" }),
    fc.constant<Step>({ step: "fail" }),
  ),
  { minLength: 1, maxLength: 6 },
);

test("whatever comes when, and whoever dies, a code logs in once, and not at all once it has come twice", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      let home = await oauthHome();
      const code = await codeFor(home);
      const given: string[] = [];
      let attempts = 0;
      for (const step of steps as Step[]) {
        if (step.step === "reopen") {
          home = await home.reopen();
        } else if (step.step === "fail") {
          failNextCommit(home.users.storage);
          await expect(redeem(home, code)).rejects.toThrow();
          vi.restoreAllMocks();
        } else {
          attempts += step.times;
          const all = Array.from({ length: step.times }, () => redeem(home, code));
          for (const outcome of await Promise.allSettled(all)) {
            if (outcome.status === "fulfilled") given.push(outcome.value.access_token);
            else expect(outcome.reason).toEqual(refusal);
          }
        }
      }
      expect(given).toHaveLength(Math.min(attempts, 1));
      const devices = await home.users.storage.getAllKeys("devices");
      if (attempts === 1) expect(devices).toHaveLength(1);
      if (attempts > 1) expect([devices, await works(home, given[0]!)]).toEqual([[], false]);
    }),
    { numRuns: Math.ceil(inject("propertyRuns") / 4) },
  );
});

describe("the user's word", () => {
  test("may be no, of which the app is told", async () => {
    const home = await oauthHome();
    const query = await queryFor(home);
    const { session } = await consentTo(home, { for: "authorize", query });
    const { to } = expectPage(await home.oauth.decide(session, false), "redirect");
    const said = Object.fromEntries(new URLSearchParams(new URL(to).hash.slice(1)));
    expect(said).toMatchObject({ error: "access_denied", state: "state" });
    await expect(home.oauth.decide(session, true)).rejects.toEqual(error("invalid_request", 400));
  });

  test("counts once, and a second click gets what the first did", async () => {
    const home = await oauthHome();
    const query = await queryFor(home);
    const { session } = await consentTo(home, { for: "authorize", query });
    const [first, second] = await Promise.all([
      home.oauth.decide(session, true),
      home.oauth.decide(session, true),
    ]);
    expect(second).toEqual(first);
    await expect(home.oauth.decide(session, true)).rejects.toEqual(error("invalid_request", 400));
    expect((await home.users.storage.getAll("oauthSecrets")).map(({ kind }) => kind)).toEqual(["code"]);
  });

  test("comes too late after ten minutes, and when the password is another", async () => {
    const home = await oauthHome();
    const query = await queryFor(home);
    const { session } = await consentTo(home, { for: "authorize", query });
    home.users.world.time += pageLifetimeMs;
    await expect(home.oauth.decide(session, true)).rejects.toEqual(error("invalid_request", 400));
    const fresh = await consentTo(home, { for: "authorize", query });
    const requester = await requesterOf(home.users, await login(home.users, "alice"));
    await home.users.changePassword(request(), requester, {
      new_password: "new",
      auth: passwordAuth("alice"),
    });
    await expect(home.oauth.decide(fresh.session, true)).rejects.toEqual(error("invalid_request", 400));
  });

  test("survives the leader", async () => {
    const home = await oauthHome();
    const query = await queryFor(home);
    const { session } = await consentTo(home, { for: "authorize", query });
    const next = await home.reopen();
    expectPage(await next.oauth.decide(session, true), "redirect");
  });
});
