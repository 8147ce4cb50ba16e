import fc from "fast-check";
import { describe, expect, inject, test, vi } from "vitest";
import type { DeviceAuthorization } from "../../../src/worker-roomserver/oauth/api.ts";
import { deviceLifetimeMs, maxDevices } from "../../../src/worker-roomserver/oauth/device-grant.ts";
import { pageLifetimeMs } from "../../../src/worker-roomserver/oauth/parts.ts";
import {
  consentTo,
  deviceCode,
  expectPage,
  metadata,
  type OAuthHome,
  oauthHome,
  scopeOf,
  works,
} from "../support/oauth.ts";
import { error, failNextCommit, register, request } from "../support/users.ts";

async function begun({ oauth }: OAuthHome, deviceId = "TV"): Promise<DeviceAuthorization> {
  const { client_id } = await oauth.registerClient(metadata);
  return oauth.authorizeDevice(client_id, scopeOf(deviceId));
}

const poll = async ({ oauth }: OAuthHome, device_code: string, change: object = {}, id = request()) => {
  const { client_id } = await oauth.registerClient(metadata);
  return oauth.token(id, { grant_type: deviceCode, client_id, device_code, ...change });
};

async function say(home: OAuthHome, { user_code: userCode }: DeviceAuthorization, allow: boolean) {
  const { session } = await consentTo(home, { for: "device", userCode });
  return home.oauth.decide(session, allow);
}

test("a device logs in once its user has said yes elsewhere", async () => {
  const home = await oauthHome();
  const device = await begun(home);
  expect(device).toEqual({
    device_code: expect.stringMatching(/^hearth_device_code_/),
    user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
    expires_in: 900,
    interval: 5,
  });
  await expect(poll(home, device.device_code)).rejects.toEqual(error("authorization_pending", 400));
  const target = { for: "device", userCode: device.user_code.toLowerCase().replace("-", " ") } as const;
  const page = await consentTo(home, target);
  expect(page).toMatchObject({ userId: "@alice:home.example", client: { name: "An app" }, deviceId: "TV" });
  expect(await home.oauth.decide(page.session, true)).toEqual({
    page: "done",
    what: "allowed",
    client: "An app",
  });
  const answer = await poll(home, device.device_code);
  expect(answer).toMatchObject({ token_type: "Bearer", expires_in: 3600, scope: scopeOf("TV") });
  const { requester } = await home.users.authenticate(answer.access_token);
  expect(requester).toMatchObject({ userId: "@alice:home.example", deviceId: "TV" });
  await expect(poll(home, device.device_code)).rejects.toEqual(error("invalid_grant", 400));
  expect(await works(home, answer.access_token)).toBe(true);
});

test("a device whose user says no is told so", async () => {
  const home = await oauthHome();
  const device = await begun(home);
  expect(await say(home, device, false)).toMatchObject({ page: "done", what: "denied" });
  await expect(poll(home, device.device_code)).rejects.toEqual(error("access_denied", 400));
  // Its code has served.
  const again = await home.oauth.signIn({ for: "device", userCode: device.user_code }, "alice", "secret");
  expect(expectPage(again, "signIn").problem).toMatch(/code/);
});

test("one that asks too often has to wait for longer each time", async () => {
  const home = await oauthHome();
  const { device_code } = await begun(home);
  const pending = error("authorization_pending", 400);
  const slow = error("slow_down", 400);
  const { world } = home.users;
  await expect(poll(home, device_code)).rejects.toEqual(pending);
  world.time += 4_999;
  await expect(poll(home, device_code)).rejects.toEqual(slow);
  world.time += 5_000;
  await expect(poll(home, device_code)).rejects.toEqual(slow);
  world.time += 15_000;
  await expect(poll(home, device_code)).rejects.toEqual(pending);
});

test("nobody waits for ever", async () => {
  const home = await oauthHome();
  const device = await begun(home);
  const { session } = await consentTo(home, { for: "device", userCode: device.user_code });
  home.users.world.time += deviceLifetimeMs;
  await expect(poll(home, device.device_code)).rejects.toEqual(error("expired_token", 400));
  await expect(home.oauth.decide(session, true)).rejects.toEqual(error("invalid_request", 400));
  for await (const _ of home.oauth.dropExpired());
  expect(await home.users.storage.getAllKeys("oauthSecrets")).toEqual([]);
  await expect(poll(home, device.device_code)).rejects.toEqual(error("invalid_grant", 400));
});

test("of two users who allow one device at once, one is let in", async () => {
  const home = await oauthHome();
  await register(home.users, "bob", { password: "secret", inhibit_login: true });
  const device = await begun(home);
  const target = { for: "device", userCode: device.user_code } as const;
  const pages = await Promise.all(
    ["alice", "bob"].map(async (user) =>
      expectPage(await home.oauth.signIn(target, user, "secret"), "consent"),
    ),
  );
  const outcomes = await Promise.allSettled(pages.map(({ session }) => home.oauth.decide(session, true)));
  const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const { access_token } = await poll(home, device.device_code);
  const { requester } = await home.users.authenticate(access_token);
  expect(requester.userId).toBe(pages[winner]!.userId);
});

test("the code is nothing to another client, and no code of another kind", async () => {
  const home = await oauthHome();
  const device = await begun(home);
  await say(home, device, true);
  await expect(poll(home, device.device_code, { client_id: "other" })).rejects.toEqual(
    error("invalid_grant", 400),
  );
  const asCode = {
    grant_type: "authorization_code",
    code: device.device_code,
    redirect_uri: "x",
    code_verifier: "x",
  };
  await expect(poll(home, device.device_code, asCode)).rejects.toEqual(error("invalid_grant", 400));
  expect(await poll(home, device.device_code)).toHaveProperty("access_token");
});

describe("refused is", () => {
  test("a client that is not known, or has not said that it would", async () => {
    const { oauth } = await oauthHome();
    await expect(oauth.authorizeDevice("x", scopeOf("TV"))).rejects.toEqual(error("invalid_client", 401));
    const { client_id } = await oauth.registerClient({ ...metadata, grant_types: ["authorization_code"] });
    const asked = oauth.authorizeDevice(client_id, scopeOf("TV"));
    await expect(asked).rejects.toEqual(error("unauthorized_client", 400));
  });

  test("a scope without a device", async () => {
    const { oauth } = await oauthHome();
    const { client_id } = await oauth.registerClient(metadata);
    await expect(oauth.authorizeDevice(client_id, "")).rejects.toEqual(error("invalid_scope", 400));
  });

  test("what is too much at a time", async () => {
    const home = await oauthHome();
    await Promise.all(Array.from({ length: maxDevices }, (_, i) => begun(home, `D${i}`)));
    await expect(begun(home)).rejects.toEqual(error("temporarily_unavailable", 503));
    home.users.world.time += deviceLifetimeMs;
    for await (const _ of home.oauth.dropExpired());
    expect(await begun(home)).toHaveProperty("device_code");
  });
});

test("nothing in the database is a code", async () => {
  const home = await oauthHome();
  const device = await begun(home);
  const { storage } = home.users;
  const text = JSON.stringify([
    await storage.getAllKeys("oauthSecrets"),
    await storage.getAll("oauthSecrets"),
  ]);
  expect(text).toContain("userCode");
  for (const code of [device.device_code, device.user_code]) expect(text).not.toContain(code);
});

const steps = fc.array(fc.constantFrom("poll", "polls", "allow", "deny", "reopen", "fail", "wait"), {
  maxLength: 8,
});

test("whatever comes when, and whoever dies, a device is let in once, and by the user's first word alone", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      let home = await oauthHome();
      const device = await begun(home);
      const given: string[] = [];
      let word: "allow" | "deny" | undefined;
      const pollSome = async (times: number) => {
        const polls = Array.from({ length: times }, () => poll(home, device.device_code));
        for (const outcome of await Promise.allSettled(polls)) {
          if (outcome.status === "fulfilled") given.push(outcome.value.access_token);
        }
      };
      for (const step of steps) {
        if (step === "poll") await pollSome(1);
        else if (step === "polls") await pollSome(3);
        else if (step === "reopen") home = await home.reopen();
        else if (step === "wait") home.users.world.time += pageLifetimeMs / 4;
        else if (step === "fail") {
          failNextCommit(home.users.storage);
          await expect(poll(home, device.device_code)).rejects.toThrow();
          vi.restoreAllMocks();
        } else {
          const target = { for: "device", userCode: device.user_code } as const;
          const page = await home.oauth.signIn(target, "alice", "secret");
          // The code has served, or it has expired.
          if (page.page === "signIn") continue;
          await home.oauth.decide(expectPage(page, "consent").session, step === "allow");
          expect(word).toBeUndefined();
          word = step;
        }
      }
      if (word !== "allow") expect(given).toEqual([]);
      expect(given.length).toBeLessThanOrEqual(1);
      const devices = await home.users.storage.getAllKeys("devices");
      expect(devices).toHaveLength(given.length);
      for (const token of given) expect(await works(home, token)).toBe(true);
    }),
    { numRuns: Math.ceil(inject("propertyRuns") / 4) },
  );
});
