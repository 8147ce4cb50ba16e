import { describe, expect, test } from "vitest";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { guessBudgets } from "../../../src/worker-roomserver/users/guess-limits.ts";
import {
  error,
  holdNextCommit,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

describe("login", () => {
  test.each<[how: string, named: object]>([
    ["a localpart", { identifier: { type: "m.id.user", user: "alice" } }],
    ["a user id", { identifier: { type: "m.id.user", user: "@alice:home.example" } }],
    ["capitals", { identifier: { type: "m.id.user", user: "ALICE" } }],
    ["a user id with capitals", { identifier: { type: "m.id.user", user: "@Alice:home.example" } }],
    ["`user`, as of old", { identifier: undefined, user: "alice" }],
    ["`user` with a user id", { identifier: undefined, user: "@alice:home.example" }],
  ])("by %s", async (_, named) => {
    const users = await testUsers();
    const first = await register(users, "alice");
    const second = await login(users, "", named);
    expect(second.user_id).toBe("@alice:home.example");
    expect(second.device_id).not.toBe(first.device_id);
    expect((await requesterOf(users, second)).deviceId).toBe(second.device_id);
    expect((await requesterOf(users, first)).deviceId).toBe(first.device_id);
  });

  test("is refused alike for a wrong password, an unknown user and one from elsewhere", async () => {
    const users = await testUsers();
    await register(users, "alice");
    const attempts = [
      login(users, "alice", { password: "wrong" }),
      login(users, "alice", { password: "" }),
      login(users, "bob"),
      login(users, "@alice:other.example"),
      login(users, "@alice"),
      login(users, ""),
    ];
    const refusals = (await Promise.allSettled(attempts)).map((it) => it.status === "rejected" && it.reason);
    for (const refusal of refusals) expect(refusal).toEqual(error("M_FORBIDDEN", 403));
    expect(new Set(refusals.map(String)).size).toBe(1);
  });

  test.each<[what: string, body: object, errcode: string, status: number]>([
    ["a token of nobody", { type: "m.login.token", token: "abc" }, "M_FORBIDDEN", 403],
    ["a token's type without one", { type: "m.login.token" }, "M_MISSING_PARAM", 400],
    ["a type of nobody", { type: "org.example.magic" }, "M_UNKNOWN", 400],
    ["no password", { password: undefined }, "M_MISSING_PARAM", 400],
    ["nobody named", { identifier: undefined }, "M_MISSING_PARAM", 400],
    ["an identifier without a type", { identifier: {} }, "M_BAD_JSON", 400],
    ["an identifier without a user", { identifier: { type: "m.id.user" } }, "M_BAD_JSON", 400],
    ["an unknown type of identifier", { identifier: { type: "org.example.id" } }, "M_UNKNOWN", 400],
    ["an e-mail address", { identifier: { type: "m.id.thirdparty", medium: "email" } }, "M_FORBIDDEN", 403],
    ["a phone number", { identifier: { type: "m.id.phone" } }, "M_FORBIDDEN", 403],
    ["an e-mail address, as of old", { identifier: undefined, medium: "email" }, "M_FORBIDDEN", 403],
    ["too long a device id", { device_id: "x".repeat(256) }, "M_INVALID_PARAM", 400],
  ])("with %s is refused", async (_, body, errcode, status) => {
    const users = await testUsers();
    await register(users, "alice");
    await expect(login(users, "alice", body)).rejects.toEqual(error(errcode, status));
  });

  test("a guest has no password to log in with", async () => {
    const users = await testUsers();
    const guest = await users.register(request(), "guest", {});
    const { user_id } = guest as { user_id: string };
    await expect(login(users, user_id, { password: "" })).rejects.toEqual(error("M_FORBIDDEN", 403));
  });

  test("a password is the same however its accents are composed", async () => {
    const users = await testUsers();
    await register(users, "alice", { password: "caf\u00e9" });
    expect(await login(users, "alice", { password: "cafe\u0301" })).toMatchObject({
      user_id: "@alice:home.example",
    });
  });

  test("on a known device ends its tokens and keeps its name", async () => {
    const users = await testUsers();
    const names = { device_id: "PHONE", initial_device_display_name: "First" };
    const first = await register(users, "alice", { ...names, refresh_token: true });
    const again = { device_id: "PHONE", initial_device_display_name: "Second" };
    const second = await login(users, "alice", again);
    await expect(users.authenticate(first.access_token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
    await expect(users.refresh(request(), first.refresh_token!)).rejects.toEqual(
      error("M_UNKNOWN_TOKEN", 401),
    );
    const requester = await requesterOf(users, second);
    expect(await users.devices(requester)).toMatchObject([{ device_id: "PHONE", display_name: "First" }]);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(1);
  });

  test("several at once on one device leave one login", async () => {
    const users = await testUsers();
    await register(users, "alice", { inhibit_login: true });
    const logins = await Promise.all(
      Array.from({ length: 5 }, () => login(users, "alice", { device_id: "PHONE", refresh_token: true })),
    );
    const good = await Promise.allSettled(logins.map(({ access_token }) => users.authenticate(access_token)));
    expect(good.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(2);
  });

  test("the same request is answered with the same token, also by the next leader", async () => {
    const before = await testUsers();
    await register(before, "alice", { inhibit_login: true });
    const again = request();
    const body = { type: "m.login.password", user: "alice", password: "secret" };
    const [one, two] = await Promise.all([before.login(again, body), before.login(again, body)]);
    expect(two).toEqual(one);
    const users = await before.reopen();
    expect(await users.login(again, body)).toEqual(one);
    expect((await users.storage.getAllKeys("devices")).length).toBe(1);
  });

  test.each<[change: string, carryOut: (users: TestUsers, requester: Requester) => Promise<object>]>([
    [
      "the password is changed",
      (users, requester) =>
        users.changePassword(request(), requester, { new_password: "new", auth: passwordAuth("alice") }),
    ],
    [
      "the account is deactivated",
      (users, requester) => users.deactivate(request(), requester, { auth: passwordAuth("alice") }),
    ],
  ])("is refused when %s while it is verified", async (_, carryOut) => {
    const users = await testUsers();
    const requester = await requesterOf(users, await register(users, "alice"));
    await register(users, "bob");
    const { reached, release } = holdNextCommit(users.storage);
    const change = carryOut(users, requester);
    await reached;
    const late = login(users, "alice");
    await login(users, "bob"); // hashes are computed in order, so alice's has been found right by now
    release();
    expect(await change).not.toHaveProperty("uia");
    await expect(late).rejects.toEqual(error("M_FORBIDDEN", 403));
  });
});

describe("guessing a password", () => {
  const { each } = guessBudgets;

  test.each(["alice", "nobody"])("is limited for %s, however many try at once", async (user) => {
    const users = await testUsers();
    await register(users, "alice");
    const guesses = Array.from({ length: 3 * each.burst }, (_, i) =>
      login(users, user, { password: `guess${i}` }),
    );
    const answers = (await Promise.allSettled(guesses)).map((it) => it.status === "rejected" && it.reason);
    expect(answers.filter(({ errcode }) => errcode === "M_FORBIDDEN")).toHaveLength(each.burst);
    const limited = answers.filter(({ errcode }) => errcode === "M_LIMIT_EXCEEDED");
    expect(limited).toHaveLength(2 * each.burst);
    expect(limited[0]).toMatchObject({ status: 429, extra: { retry_after_ms: each.everyMs } });
  });

  test("keeps the right password waiting too, and not for longer than it says", async () => {
    const users = await testUsers();
    await register(users, "alice");
    await register(users, "bob");
    const requester = await requesterOf(users, await login(users, "alice"));
    for (let i = 0; i < each.burst; i++) {
      await expect(login(users, "alice", { password: "wrong" })).rejects.toEqual(error("M_FORBIDDEN", 403));
    }
    const refusal = error("M_LIMIT_EXCEEDED", 429);
    await expect(login(users, "@alice:home.example")).rejects.toEqual(refusal);
    const auth = passwordAuth("alice");
    await expect(users.deleteDevices(request(), requester, ["X"], auth)).rejects.toEqual(refusal);
    expect(await login(users, "bob")).toMatchObject({ user_id: "@bob:home.example" });
    users.world.time += each.everyMs;
    expect(await login(users, "alice")).toMatchObject({ user_id: "@alice:home.example" });
  });

  test("right ones are not counted", async () => {
    const users = await testUsers();
    await register(users, "alice");
    for (let i = 0; i < 2 * each.burst; i++) await login(users, "alice", { device_id: "PHONE" });
    expect((await users.storage.getAllKeys("devices")).length).toBe(2);
  });
});
