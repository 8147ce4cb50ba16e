import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import type { UserListing } from "../../../src/worker-roomserver/users/console/api.ts";
import { mostLookedAt } from "../../../src/worker-roomserver/users/console/user-list.ts";
import {
  error,
  failNextCommit,
  login,
  register,
  request,
  serverName,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

const id = (name: string) => `@${name}:${serverName}`;

async function paged(
  users: TestUsers,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
) {
  const found: UserListing[] = [];
  let from: string | undefined;
  do {
    const page = await users.console.list({}, { from, limit });
    found.push(...page.users);
    from = page.next_batch;
    await between();
  } while (from !== undefined);
  return found.map(({ user_id }) => user_id);
}

/** Rows of accounts as they are, without what it costs to register. */
async function put(users: TestUsers, names: readonly string[]): Promise<void> {
  await users.storage.commit((write) => {
    for (const name of names) {
      const account = { userId: id(name), passwordHash: "", createdAt: 1, kind: "appservice" } as const;
      write.put("accounts", { ...account, admin: false, deactivated: false, leaving: false }, id(name));
    }
  });
}

describe("accounts in pages", () => {
  const name = fc.stringMatching(/^[a-z]{1,4}$/);

  test("have each account once that was there all the time, whatever comes meanwhile and however long they are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 1, maxLength: 12 }),
        fc.uniqueArray(name, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (there, coming, limit) => {
          const users = await testUsers();
          await put(users, there);
          const later = [...coming];
          const found = await paged(users, limit, () => put(users, later.splice(0, 1)));
          expect(found).toEqual([...new Set(found)].sort());
          expect(found).toEqual(expect.arrayContaining(there.map(id)));
        },
      ),
      { numRuns: Math.ceil(inject("propertyRuns") / 5) },
    );
  });

  test("are those that fit all of what is asked for", async () => {
    const users = await testUsers();
    await register(users, "alice");
    await register(users, "bob");
    await users.console.create(request(), { username: "carol", displayname: "Bobbie" });
    await users.console.change(id("carol"), { locked: true });
    await put(users, ["ghost-bob"]);
    await users.console.deactivate(request(), id("bob"), { erase: false });
    const found = async (filter: object) =>
      (await users.console.list(filter, { limit: 10 })).users.map(({ user_id }) => user_id);
    expect(await found({ search: "BOB" })).toEqual([id("bob"), id("carol"), id("ghost-bob")]);
    expect(await found({ search: "bob", kind: "user" })).toEqual([id("bob"), id("carol")]);
    expect(await found({ search: "bob", deactivated: false, locked: false })).toEqual([id("ghost-bob")]);
    expect(await found({ admin: true })).toEqual([id("alice")]);
    expect(await found({ suspended: true })).toEqual([]);
  });

  test("look at so many and no more, and say where to go on", async () => {
    const users = await testUsers();
    await put(
      users,
      Array.from({ length: mostLookedAt + 1 }, (_, i) => `user${String(i).padStart(5, "0")}`),
    );
    const first = await users.console.list({ admin: true }, { limit: 10 });
    expect(first.users).toEqual([]);
    expect(first.next_batch).toBe(id(`user${String(mostLookedAt - 1).padStart(5, "0")}`));
    expect(await users.console.list({ admin: true }, { limit: 10, from: first.next_batch })).toEqual({
      users: [],
    });
  });
});

describe("an account that the owner makes", () => {
  test("is there once for a request that comes twice, also with the next leader", async () => {
    const users = await testUsers({ registration: "closed" });
    const asked = request();
    const wanted = { username: "Alice", password: "secret", displayname: "A" };
    const made = await users.console.create(asked, wanted);
    expect(made).toMatchObject({ user_id: id("alice"), displayname: "A", admin: false, kind: "user" });
    const next = await users.reopen();
    expect(await next.console.create(asked, wanted)).toEqual(made);
    await expect(next.console.create(request(), wanted)).rejects.toEqual(error("M_USER_IN_USE", 400));
    expect(await login(next, "alice")).toMatchObject({ user_id: id("alice") });
    expect(await next.profile(id("alice"))).toEqual({ displayname: "A" });
  });

  test("without a password nobody can log in to", async () => {
    const users = await testUsers();
    await users.console.create(request(), { username: "alice" });
    expect(await users.console.get(id("alice"))).toMatchObject({ has_password: false });
    await expect(login(users, "alice", { password: "" })).rejects.toEqual(error("M_FORBIDDEN", 403));
    await users.console.setPassword(id("alice"), { password: "secret", logoutDevices: true });
    expect(await login(users, "alice")).toMatchObject({ user_id: id("alice") });
  });

  test("is not there at all when the disk did not take it", async () => {
    const users = await testUsers();
    failNextCommit(users.storage);
    await expect(users.console.create(request(), { username: "alice" })).rejects.toThrow();
    await expect(users.console.get(id("alice"))).rejects.toEqual(error("M_NOT_FOUND", 404));
    expect(await users.console.create(request(), { username: "alice" })).toMatchObject({
      user_id: id("alice"),
    });
  });

  test.each([
    ["a bad name", { username: "a b" }, "M_INVALID_USERNAME"],
    ["an empty password", { username: "a", password: "" }, "M_WEAK_PASSWORD"],
    ["a long name", { username: "a", displayname: "x".repeat(257) }, "M_INVALID_PARAM"],
  ])("is none with %s", async (_, wanted, errcode) => {
    const users = await testUsers();
    await expect(users.console.create(request(), wanted)).rejects.toEqual(error(errcode, 400));
  });
});

describe("the last administrator", () => {
  const only = error("M_FORBIDDEN", 403);

  async function admins(...names: string[]): Promise<TestUsers> {
    const users = await testUsers();
    for (const name of names) await users.console.create(request(), { username: name, admin: true });
    await register(users, "nobody");
    return users;
  }

  test("stays one, is not locked, and is not deactivated", async () => {
    const users = await admins("alice");
    await expect(users.console.change(id("alice"), { admin: false })).rejects.toEqual(only);
    await expect(users.console.change(id("alice"), { locked: true })).rejects.toEqual(only);
    await expect(users.console.deactivate(request(), id("alice"), { erase: false })).rejects.toEqual(only);
    expect(await users.console.get(id("alice"))).toMatchObject({
      ...{ admin: true, locked: false, deactivated: false },
    });
    // Others may be, and so may that one be suspended.
    expect(await users.console.change(id("nobody"), { locked: true })).toMatchObject({ locked: true });
    expect(await users.console.change(id("alice"), { suspended: true })).toMatchObject({ suspended: true });
  });

  test("is who is left when others are locked or deactivated", async () => {
    const users = await admins("alice", "bob", "carol");
    await users.console.change(id("alice"), { locked: true });
    await users.console.deactivate(request(), id("bob"), { erase: false });
    await expect(users.console.change(id("carol"), { admin: false })).rejects.toEqual(only);
    await users.console.change(id("alice"), { locked: false });
    expect(await users.console.change(id("carol"), { admin: false })).toMatchObject({ admin: false });
  });

  test("is left also when all take it from one another at once, in any way", async () => {
    const names = ["alice", "bob", "carol"];
    const ways = {
      demote: (users: TestUsers, name: string) => users.console.change(id(name), { admin: false }),
      lock: (users: TestUsers, name: string) => users.console.change(id(name), { locked: true }),
      close: (users: TestUsers, name: string) =>
        users.console.deactivate(request(), id(name), { erase: false }),
    };
    const way = fc.constantFrom(...(Object.keys(ways) as (keyof typeof ways)[]));
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(way, way, way),
        fc.shuffledSubarray(names, { minLength: 3 }),
        async (how, order) => {
          const users = await admins(...names);
          const results = await Promise.allSettled(order.map((name, i) => ways[how[i]!](users, name)));
          expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
          const left = (await users.console.list({ admin: true }, { limit: 10 })).users;
          expect(left.filter(({ locked, deactivated }) => !locked && !deactivated)).toHaveLength(1);
        },
      ),
      { numRuns: Math.ceil(inject("propertyRuns") / 5) },
    );
  });

  test("guests and users of application services are made none", async () => {
    const users = await admins("alice");
    await put(users, ["ghost"]);
    const refusal = error("M_INVALID_PARAM", 400);
    await expect(users.console.change(id("ghost"), { admin: true })).rejects.toEqual(refusal);
    await expect(
      users.console.setPassword(id("ghost"), { password: "x", logoutDevices: true }),
    ).rejects.toEqual(refusal);
  });
});

describe("what the owner does with an account", () => {
  test("a new password ends all logins, or none", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice");
    await users.console.setPassword(alice.user_id, { password: "second", logoutDevices: false });
    expect((await users.authenticate(alice.access_token)).requester.userId).toBe(alice.user_id);
    await users.console.setPassword(alice.user_id, { password: "third", logoutDevices: true });
    await expect(users.authenticate(alice.access_token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
    await expect(login(users, "alice", { password: "second" })).rejects.toEqual(error("M_FORBIDDEN", 403));
    expect(await login(users, "alice", { password: "third" })).toMatchObject({ user_id: alice.user_id });
  });

  test("logins end one by one, or all", async () => {
    const users = await testUsers();
    const phone = await register(users, "alice");
    const laptop = await login(users, "alice");
    await users.console.deleteDevices(phone.user_id, [phone.device_id, "NONE"]);
    const devices = async () => (await users.console.get(phone.user_id)).devices.map((one) => one.device_id);
    expect(await devices()).toEqual([laptop.device_id]);
    await users.console.deleteDevices(phone.user_id);
    expect(await devices()).toEqual([]);
    await expect(users.console.deleteDevices(id("nobody"))).rejects.toEqual(error("M_NOT_FOUND", 404));
  });

  test("a closed account stays closed, and is changed by nothing", async () => {
    const users = await testUsers();
    await register(users, "owner");
    const alice = await register(users, "alice");
    const asked = request();
    await users.console.deactivate(asked, alice.user_id, { erase: true });
    const next = await users.reopen();
    await next.console.deactivate(asked, alice.user_id, { erase: true }); // the same request again
    expect(await next.console.get(alice.user_id)).toMatchObject({
      deactivated: true,
      devices: [],
      profile: {},
    });
    expect(next.erasedSince(alice.user_id)).toBeGreaterThan(0);
    const refusal = error("M_FORBIDDEN", 403);
    await expect(next.console.change(alice.user_id, { admin: true })).rejects.toEqual(refusal);
    await expect(next.console.deactivate(request(), alice.user_id, { erase: true })).rejects.toEqual(refusal);
    await expect(
      next.console.setPassword(alice.user_id, { password: "x", logoutDevices: true }),
    ).rejects.toEqual(refusal);
  });

  test("is counted", async () => {
    const users = await testUsers();
    await register(users, "owner");
    await register(users, "alice");
    await register(users, "bob");
    await users.register(request(), "guest", {});
    await put(users, ["ghost"]);
    await users.console.change(id("alice"), { locked: true, suspended: true });
    await users.console.deactivate(request(), id("bob"), { erase: false });
    expect(await users.console.counts()).toEqual({
      ...{ users: 2, guests: 1, appservice_users: 1 },
      ...{ admins: 1, locked: 1, suspended: 1, deactivated: 1 },
    });
  });
});

describe("registration tokens", () => {
  test("are changed where something is said, and only there", async () => {
    const { console: owner } = await testUsers();
    const asked = request();
    const made = await owner.createRegistrationToken(asked, { uses_allowed: 2 });
    expect(await owner.createRegistrationToken(asked, { uses_allowed: 2 })).toEqual(made);
    const { token } = made;
    expect(await owner.changeRegistrationToken(token, { expiry_time: 7 })).toEqual({
      ...made,
      expiry_time: 7,
    });
    const unlimited = { ...made, uses_allowed: null, expiry_time: 7 };
    expect(await owner.changeRegistrationToken(token, { uses_allowed: null })).toEqual(unlimited);
    expect(await owner.registrationToken(token)).toEqual(unlimited);
    await owner.deleteRegistrationToken(token);
    const missing = error("M_NOT_FOUND", 404);
    await expect(owner.registrationToken(token)).rejects.toEqual(missing);
    await expect(owner.changeRegistrationToken(token, {})).rejects.toEqual(missing);
  });
});
