import { describe, expect, test } from "vitest";
import { defaultSettings } from "../../../src/worker-roomserver/settings/defaults.ts";
import { error, login, register, request, requesterOf, type TestUsers, testUsers } from "../support/users.ts";

/** The first to register owns the server. */
async function people() {
  const users = await testUsers(defaultSettings);
  const owner = await register(users, "owner");
  const alice = await register(users, "alice", { refresh_token: true });
  return { users, owner: await requesterOf(users, owner), alice };
}

const locked = error("M_USER_LOCKED", 401);
const aliceId = "@alice:home.example";

describe("a locked account", () => {
  test("keeps its tokens, which are good for nothing but to log out, until it is unlocked", async () => {
    const { users, owner, alice } = await people();
    await users.moderate(owner, aliceId, { locked: true });
    expect(await users.moderation(owner, aliceId)).toEqual({ locked: true, suspended: false });
    await expect(users.authenticate(alice.access_token)).rejects.toMatchObject({
      errcode: "M_USER_LOCKED",
      status: 401,
      extra: { soft_logout: true },
    });
    const { requester } = await users.authenticate(alice.access_token, { evenLocked: true });
    expect(requester.userId).toBe(aliceId);
    await users.moderate(owner, aliceId, { locked: false });
    expect((await users.authenticate(alice.access_token)).requester.userId).toBe(aliceId);
  });

  test("gets no new tokens, in whatever way", async () => {
    const { users, owner, alice } = await people();
    const aliceRequester = await requesterOf(users, alice);
    const auth = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      password: "secret",
    };
    const made = await users.createLoginToken(request(), aliceRequester, auth);
    const token = (made as { login_token: string }).login_token;
    const openId = await users.createOpenIdToken(request(), aliceRequester, aliceId);
    await users.moderate(owner, aliceId, { locked: true });
    await expect(login(users, "alice")).rejects.toEqual(locked);
    await expect(users.login(request(), { type: "m.login.token", token })).rejects.toEqual(locked);
    await expect(users.refresh(request(), alice.refresh_token!)).rejects.toEqual(locked);
    await expect(users.openIdUser(openId.access_token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
    // Somebody who does not know the password learns nothing of it.
    await expect(login(users, "alice", { password: "wrong" })).rejects.toEqual(error("M_FORBIDDEN", 403));
  });

  test("stays locked for the next leader", async () => {
    const { users, owner, alice } = await people();
    await users.moderate(owner, aliceId, { locked: true });
    const next = await users.reopen();
    await expect(next.authenticate(alice.access_token)).rejects.toEqual(locked);
  });
});

describe("a suspended account", () => {
  test("is known by its requester, and keeps its profile as it is", async () => {
    const { users, owner, alice } = await people();
    await users.moderate(owner, aliceId, { suspended: true });
    const requester = await requesterOf(users, alice);
    expect(requester.suspended).toBe(true);
    const change = users.setProfileField(requester, aliceId, "displayname", "Not me");
    await expect(change).rejects.toEqual(error("M_USER_SUSPENDED", 403));
    expect(await users.profile(aliceId)).toEqual({ displayname: "alice" });
    expect((await login(users, "alice")).user_id).toBe(aliceId);
    await users.moderate(owner, aliceId, { suspended: false });
    expect(await requesterOf(users, alice)).not.toHaveProperty("suspended");
  });

  test("may be locked as well: neither decision undoes the other", async () => {
    const { users, owner } = await people();
    await Promise.all([
      users.moderate(owner, aliceId, { suspended: true }),
      users.moderate(owner, aliceId, { locked: true }),
    ]);
    expect(await users.moderation(owner, aliceId)).toEqual({ locked: true, suspended: true });
  });
});

describe("who may", () => {
  const attempts = (users: TestUsers, who: Parameters<TestUsers["whois"]>[0], target: string) => [
    users.moderation(who, target),
    users.moderate(who, target, { locked: true }),
    users.moderate(who, target, { suspended: true }),
  ];

  test("only administrators, and others do not learn which users there are", async () => {
    const { users, alice } = await people();
    const requester = await requesterOf(users, alice);
    for (const target of ["@owner:home.example", "@nobody:home.example", "@x:elsewhere.example", "x"]) {
      for (const attempt of [...attempts(users, requester, target), users.whois(requester, target)]) {
        await expect(attempt).rejects.toEqual(error("M_FORBIDDEN", 403));
      }
    }
  });

  test.each<[string, string, number]>([
    ["@nobody:home.example", "M_NOT_FOUND", 404],
    ["@x:elsewhere.example", "M_INVALID_PARAM", 400],
    ["nobody", "M_INVALID_PARAM", 400],
  ])("%s is nobody to be locked", async (target, errcode, status) => {
    const { users, owner } = await people();
    for (const attempt of attempts(users, owner, target)) {
      await expect(attempt).rejects.toEqual(error(errcode, status));
    }
  });

  test("nobody locks themselves out, or another administrator", async () => {
    const { users, owner, alice } = await people();
    await expect(users.moderate(owner, owner.userId, { locked: true })).rejects.toEqual(
      error("M_FORBIDDEN", 403),
    );
    expect(await users.moderation(owner, owner.userId)).toEqual({ locked: false, suspended: false });
    const other = { ...(await requesterOf(users, alice)), admin: true };
    for (const attempt of attempts(users, other, owner.userId)) {
      await expect(attempt).rejects.toEqual(error("M_FORBIDDEN", 403));
    }
  });
});

test("whois: one's own devices, or anybody's for an administrator", async () => {
  const { users, owner, alice } = await people();
  const requester = await requesterOf(users, alice);
  const expected = {
    user_id: aliceId,
    devices: { [alice.device_id]: { sessions: [{ connections: [{ last_seen: users.world.time }] }] } },
  };
  expect(await users.whois(requester, aliceId)).toEqual(expected);
  expect(await users.whois(owner, aliceId)).toEqual(expected);
  await expect(users.whois(owner, "@nobody:home.example")).rejects.toEqual(error("M_NOT_FOUND", 404));
});
