import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegisterBody } from "../../../src/worker-roomserver/users/api.ts";
import {
  challenge,
  done,
  dummy,
  error,
  failNextCommit,
  register,
  request,
  requesterOf,
  testUsers,
} from "../support/users.ts";

describe("an account", () => {
  test("is made with a login that works, a profile and the wanted device", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice", {
      device_id: "PHONE",
      initial_device_display_name: "Alice's phone",
    });
    expect(alice).toEqual({
      user_id: "@alice:home.example",
      device_id: "PHONE",
      access_token: expect.stringMatching(/^hearth_access_[\w-]{43}$/),
    });
    const { requester, expiresAt } = await users.authenticate(alice.access_token);
    expect(requester).toEqual({
      session: expect.any(String),
      userId: alice.user_id,
      deviceId: "PHONE",
      kind: "user",
      admin: true,
    });
    expect(expiresAt).toBeNull();
    expect(await users.profile(alice.user_id)).toEqual({ displayname: "alice" });
    expect(await users.device(requester, "PHONE")).toMatchObject({ display_name: "Alice's phone" });
    expect(await users.isLocalAccount(alice.user_id)).toBe(true);
    expect(await users.isLocalAccount("@bob:home.example")).toBe(false);
  });

  test("is there after the tab has closed, and its token is stored nowhere", async () => {
    const before = await testUsers();
    const { user_id, access_token } = await register(before, "alice");
    const users = await before.reopen();
    expect((await users.authenticate(access_token)).requester.userId).toBe(user_id);
    const rows = await users.storage.getAll("tokens");
    const keys = await users.storage.getAllKeys("tokens");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify([keys, rows])).not.toContain(access_token);
  });

  test("may ask to be able to refresh its token", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice", { refresh_token: true });
    expect(alice.refresh_token).toMatch(/^hearth_refresh_[\w-]{43}$/);
    const { expiresAt } = await users.authenticate(alice.access_token);
    expect(expiresAt).toBe(users.world.time + alice.expires_in_ms!);
  });

  test("is made without a login where none is wanted", async () => {
    const users = await testUsers();
    expect(await register(users, "alice", { inhibit_login: true })).toEqual({
      user_id: "@alice:home.example",
    });
    expect((await users.storage.getAllKeys("devices")).length).toBe(0);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(0);
  });

  test("gets a name if it asked for none", async () => {
    const users = await testUsers();
    const body = { password: "secret", auth: dummy };
    const [one, other] = [
      done(await users.register(request(), "user", body)),
      done(await users.register(request(), "user", body)),
    ];
    expect(one.user_id).toMatch(/^@[a-z2-7]{16}:home\.example$/);
    expect(other.user_id).not.toBe(one.user_id);
  });

  test("the first is the admin, and guests do not count", async () => {
    const users = await testUsers();
    await users.register(request(), "guest", {});
    const first = await register(users, "first");
    const second = await register(users, "second");
    expect((await requesterOf(users, first)).admin).toBe(true);
    expect((await requesterOf(users, second)).admin).toBe(false);
    const later = await users.reopen();
    const third = await register(later, "third");
    expect((await requesterOf(later, third)).admin).toBe(false);
  });
});

describe("a username", () => {
  test.each<[username: string, userId: string]>([
    ["alice", "@alice:home.example"],
    ["Alice", "@alice:home.example"],
    ["a.b_c=d-e/f+1", "@a.b_c=d-e/f+1:home.example"],
    ["a".repeat(241), `@${"a".repeat(241)}:home.example`],
  ])("%s becomes %s", async (username, userId) => {
    const users = await testUsers();
    expect(await users.isUsernameAvailable(username)).toEqual({ available: true });
    expect((await register(users, username)).user_id).toBe(userId);
  });

  test.each(["", "al ice", "al:ice", "@alice", "ålice", "\u212Aate", "a".repeat(242), "a\0"])(
    "%j is refused, before any authentication",
    async (username) => {
      const users = await testUsers();
      const refusal = error("M_INVALID_USERNAME", 400);
      await expect(users.isUsernameAvailable(username)).rejects.toEqual(refusal);
      await expect(users.register(request(), "user", { username })).rejects.toEqual(refusal);
    },
  );

  test("that is taken is refused, before and after authentication", async () => {
    const users = await testUsers();
    await register(users, "alice");
    const refusal = error("M_USER_IN_USE", 400);
    await expect(users.isUsernameAvailable("alice")).rejects.toEqual(refusal);
    await expect(users.isUsernameAvailable("ALICE")).rejects.toEqual(refusal);
    await expect(users.register(request(), "user", { username: "alice" })).rejects.toEqual(refusal);
    await expect(register(users, "Alice")).rejects.toEqual(refusal);
  });
});

describe("several at once", () => {
  test("each name has one winner, and the server one admin", async () => {
    const users = await testUsers();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("ann", "bob", "Bob", "cid"), { minLength: 2, maxLength: 8 }),
        async (names) => {
          const prefix = crypto.randomUUID();
          const attempts = await Promise.allSettled(names.map((name) => register(users, `${prefix}${name}`)));
          const won = attempts.flatMap((it) => (it.status === "fulfilled" ? [it.value] : []));
          const lost = attempts.flatMap((it) => (it.status === "rejected" ? [it.reason] : []));
          const wanted = new Set(names.map((name) => `@${prefix}${name.toLowerCase()}:home.example`));
          expect(won.map(({ user_id }) => user_id).sort()).toEqual([...wanted].sort());
          for (const reason of lost) expect(reason).toEqual(error("M_USER_IN_USE", 400));
        },
      ),
      { numRuns: 15 },
    );
    const accounts = await users.storage.getAll("accounts");
    expect(accounts.filter(({ admin }) => admin)).toHaveLength(1);
  });

  test("the same request gets one account and one token, also from the next leader", async () => {
    const before = await testUsers();
    const again = request();
    const body = { username: "alice", password: "secret", auth: dummy };
    const [one, two] = await Promise.all([
      before.register(again, "user", body),
      before.register(again, "user", body),
    ]);
    expect(two).toEqual(one);
    const users = await before.reopen();
    expect(await users.register(again, "user", body)).toEqual(one);
    expect((await users.storage.getAllKeys("accounts")).length).toBe(1);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(1);
  });

  test("a registration whose write fails leaves nothing and can be repeated", async () => {
    const users = await testUsers();
    const body = { username: "alice", password: "secret", auth: dummy };
    const again = request();
    failNextCommit(users.storage);
    await expect(users.register(again, "user", body)).rejects.toEqual(error("M_UNKNOWN", 500));
    expect((await users.storage.getAllKeys("accounts")).length).toBe(0);
    const alice = done(await users.register(again, "user", body));
    expect(await users.storage.getAllKeys("accounts")).toEqual([alice.user_id]);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(1);
    expect((await users.authenticate(alice.access_token!)).requester.admin).toBe(true);
  });
});

describe("authentication of a registration", () => {
  test("a request without any gets the flows and a session that lets it through once", async () => {
    const users = await testUsers();
    const { session, flows, params } = challenge(await users.register(request(), "user", {}));
    expect(flows).toEqual([{ stages: ["m.login.dummy"] }]);
    expect(params).toEqual({});
    const auth = { ...dummy, session };
    const alice = done(await users.register(request(), "user", { username: "alice", password: "x", auth }));
    expect(alice.user_id).toBe("@alice:home.example");
    const used = challenge(await users.register(request(), "user", { username: "bob", password: "x", auth }));
    expect(used).toMatchObject({ errcode: "M_FORBIDDEN", flows });
    expect(used.session).not.toBe(session);
  });

  test("a session outlives the leader, but not an hour", async () => {
    const before = await testUsers();
    const { session } = challenge(await before.register(request(), "user", {}));
    const users = await before.reopen();
    const auth = { ...dummy, session };
    users.world.time += 60 * 60_000 - 1;
    expect(await register(users, "alice", { auth })).toMatchObject({ user_id: "@alice:home.example" });
    const { session: second } = challenge(await users.register(request(), "user", {}));
    users.world.time += 60 * 60_000;
    const late = { username: "bob", password: "x", auth: { ...dummy, session: second } };
    expect(challenge(await users.register(request(), "user", late)).session).not.toBe(second);
  });

  test("any number of sessions can be asked for, and a thousand are kept", async () => {
    const before = await testUsers();
    const ask = async () => challenge(await before.register(request(), "user", {})).session;
    const first = await ask();
    const others = await Promise.all(Array.from({ length: 1_000 }, ask));
    const users = await before.reopen();
    expect((await users.storage.getAllKeys("uia")).length).toBe(1_000);
    expect(await users.storage.get("uia", String(first))).toBeUndefined();
    expect(await users.storage.get("uia", String(others[0]))).toBeDefined();
    // The next leader counts on, and drops what has become too old.
    users.world.time += 60 * 60_000;
    challenge(await users.register(request(), "user", {}));
    expect((await users.storage.getAllKeys("uia")).length).toBe(1);
  });

  test.each<[what: string, body: RegisterBody, errcode: string]>([
    ["no password", { username: "alice", auth: dummy }, "M_MISSING_PARAM"],
    ["an empty password", { username: "alice", password: "", auth: dummy }, "M_WEAK_PASSWORD"],
    ["a password of 513", { username: "alice", password: "x".repeat(513), auth: dummy }, "M_INVALID_PARAM"],
    ["an empty device id", { username: "a", password: "x", device_id: "", auth: dummy }, "M_INVALID_PARAM"],
    [
      "half a surrogate pair as a device id",
      { username: "a", password: "x", device_id: "\ud800", auth: dummy },
      "M_INVALID_PARAM",
    ],
    [
      "a device name of 257",
      { username: "a", password: "x", initial_device_display_name: "x".repeat(257), auth: dummy },
      "M_INVALID_PARAM",
    ],
  ])("%s is refused", async (_, body, errcode) => {
    const users = await testUsers();
    await expect(users.register(request(), "user", body)).rejects.toEqual(error(errcode, 400));
    expect((await users.storage.getAllKeys("accounts")).length).toBe(0);
  });

  test("a stage that is not offered is not taken", async () => {
    const users = await testUsers({ registration: "token" });
    const body = { username: "alice", password: "x", auth: dummy };
    expect(challenge(await users.register(request(), "user", body))).toMatchObject({
      flows: [{ stages: ["m.login.registration_token"] }],
      errcode: "M_FORBIDDEN",
    });
    expect((await users.storage.getAllKeys("accounts")).length).toBe(0);
  });
});

describe("settings", () => {
  test("closed: nobody registers, and all registration tokens are invalid", async () => {
    const users = await testUsers({ registration: "closed" });
    const refusal = error("M_FORBIDDEN", 403);
    await expect(register(users, "alice")).rejects.toEqual(refusal);
    await expect(users.isRegistrationTokenValid("abc")).rejects.toEqual(refusal);
    users.world.settings = { ...users.world.settings, registration: "open" };
    expect(await register(users, "alice")).toMatchObject({ user_id: "@alice:home.example" });
  });

  test("guests come only where they may, under names that they cannot choose", async () => {
    const users = await testUsers();
    const guest = done(
      await users.register(request(), "guest", {
        username: "alice",
        device_id: "MINE",
        initial_device_display_name: "Guest's phone",
      }),
    );
    const { requester } = await users.authenticate(guest.access_token!);
    expect(requester).toMatchObject({ kind: "guest", admin: false });
    expect(requester.userId).not.toContain("alice");
    expect(requester.deviceId).not.toBe("MINE");
    expect(await users.devices(requester)).toMatchObject([{ display_name: "Guest's phone" }]);
    users.world.settings = { ...users.world.settings, guests: false };
    await expect(users.register(request(), "guest", {})).rejects.toEqual(error("M_FORBIDDEN", 403));
  });
});

test("where the owner is somebody else, nobody owns the server by being the first", async () => {
  const users = await testUsers({ first_user_is_admin: false });
  const alice = await register(users, "alice");
  expect((await users.authenticate(alice.access_token)).requester.admin).toBe(false);
});
