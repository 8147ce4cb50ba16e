import { describe, expect, test } from "vitest";
import { guessBudgets } from "../../../src/worker-roomserver/users/guess-limits.ts";
import { challenge, error, register, request, type TestUsers, testUsers } from "../support/users.ts";

const withToken = (token: string) => ({ auth: { type: "m.login.registration_token", token } });

async function tokenUsers(): Promise<TestUsers> {
  return testUsers({ registration: "token" });
}

describe("a registration token", () => {
  test("lets people in as often as it says, and counts", async () => {
    const users = await tokenUsers();
    const { token } = await users.console.createRegistrationToken(crypto.randomUUID(), {
      token: "abc",
      uses_allowed: 2,
    });
    await register(users, "ann", withToken(token));
    await register(users, "bob", withToken(token));
    const body = { username: "cid", password: "x", ...withToken(token) };
    expect(challenge(await users.register(request(), "user", body))).toMatchObject({
      errcode: "M_FORBIDDEN",
    });
    expect(await users.console.registrationTokens()).toEqual([
      { token: "abc", uses_allowed: 2, completed: 2, expiry_time: null },
    ]);
  });

  test("is not used more often by many at once", async () => {
    const users = await tokenUsers();
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc", uses_allowed: 3 });
    const names = Array.from({ length: 8 }, (_, i) => `user${i}`);
    await Promise.allSettled(names.map((name) => register(users, name, withToken("abc"))));
    expect((await users.storage.getAllKeys("accounts")).length).toBe(3);
    expect(await users.console.registrationTokens()).toMatchObject([{ completed: 3 }]);
  });

  test("is not used up by a registration that fails", async () => {
    const users = await tokenUsers();
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc", uses_allowed: 2 });
    const twice = await Promise.allSettled([
      register(users, "ann", withToken("abc")),
      register(users, "ann", withToken("abc")),
    ]);
    expect(twice.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await users.console.registrationTokens()).toMatchObject([{ completed: 1 }]);
  });

  test("is good until it expires, is used up or deleted", async () => {
    const users = await tokenUsers();
    const expiry_time = users.world.time + 1_000;
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "short", expiry_time });
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "once", uses_allowed: 1 });
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "gone" });
    const valid = async (token: string) => (await users.isRegistrationTokenValid(token)).valid;
    users.world.time = expiry_time - 1;
    expect(await valid("short")).toBe(true);
    users.world.time = expiry_time;
    expect(await valid("short")).toBe(false);
    expect(await valid("once")).toBe(true);
    await register(users, "ann", withToken("once"));
    expect(await valid("once")).toBe(false);
    expect(await valid("gone")).toBe(true);
    await users.console.deleteRegistrationToken("gone");
    expect(await valid("gone")).toBe(false);
    expect(await valid("never")).toBe(false);
  });

  test("may be left to chance, and lasts from one leader to the next", async () => {
    const before = await tokenUsers();
    const { token } = await before.console.createRegistrationToken(crypto.randomUUID(), {});
    expect(token).toMatch(/^[\w-]{16}$/);
    const users = await before.reopen();
    expect(await users.isRegistrationTokenValid(token)).toEqual({ valid: true });
  });

  test.each<[token: string, ok: boolean]>([
    ["x".repeat(64), true],
    ["a._~-9", true],
    ["x".repeat(65), false],
    ["", false],
    ["a b", false],
  ])("%j can be made: %s", async (token, ok) => {
    const users = await tokenUsers();
    const made = users.console.createRegistrationToken(crypto.randomUUID(), { token });
    if (ok) expect(await made).toMatchObject({ token });
    else await expect(made).rejects.toEqual(error("M_INVALID_PARAM", 400));
  });

  test("is made once", async () => {
    const users = await tokenUsers();
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc" });
    await expect(
      users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc" }),
    ).rejects.toEqual(error("M_INVALID_PARAM", 400));
  });

  test("cannot be guessed for long, neither here nor there", async () => {
    const users = await tokenUsers();
    await users.console.createRegistrationToken(crypto.randomUUID(), { token: "abc" });
    for (let i = 0; i < guessBudgets.each.burst; i++) {
      expect(await users.isRegistrationTokenValid(`guess${i}`)).toEqual({ valid: false });
    }
    const refusal = error("M_LIMIT_EXCEEDED", 429);
    await expect(users.isRegistrationTokenValid("abc")).rejects.toEqual(refusal);
    await expect(register(users, "ann", withToken("abc"))).rejects.toEqual(refusal);
    users.world.time += guessBudgets.each.everyMs;
    expect(await users.isRegistrationTokenValid("abc")).toEqual({ valid: true });
  });
});
