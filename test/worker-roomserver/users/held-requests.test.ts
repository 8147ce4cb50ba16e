import { describe, expect, test, vi } from "vitest";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { accessTokenLifetimeMs } from "../../../src/worker-roomserver/users/sessions.ts";
import {
  done,
  error,
  failNextCommit,
  holdNextCommit,
  type LoggedIn,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

/** A request that is answered when the test says so. */
function hold(users: TestUsers, requester: DeviceRequester) {
  let answer: (value: string) => void = () => undefined;
  const task = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const stop = vi.fn();
  const answered = users.whileLoggedIn(requester, () => task, stop);
  answered.catch(() => undefined);
  return { answered, answer, stop };
}

async function people() {
  const users = await testUsers();
  const owner = await requesterOf(users, await register(users, "owner"));
  const phone = await register(users, "alice", { device_id: "PHONE" });
  const laptop = await login(users, "alice", { device_id: "LAPTOP" });
  return { users, owner, phone, laptop, alice: await requesterOf(users, laptop) };
}

type People = Awaited<ReturnType<typeof people>>;

const unknown = error("M_UNKNOWN_TOKEN", 401);

test.each<[what: string, end: (people: People) => Promise<unknown>, told?: unknown]>([
  ["its own logout", ({ users, alice }) => users.logout(alice)],
  ["a logout of all devices", async ({ users, phone }) => users.logoutAll(await requesterOf(users, phone))],
  [
    "the removal of its device by another",
    async ({ users, phone }) => {
      const requester = await requesterOf(users, phone);
      done(await users.deleteDevices(request(), requester, ["LAPTOP"], passwordAuth("alice")));
    },
  ],
  [
    "a new password",
    async ({ users, phone }) => {
      const body = { new_password: "another secret", auth: passwordAuth("alice") };
      done(await users.changePassword(request(), await requesterOf(users, phone), body));
    },
  ],
  [
    "the end of the account",
    async ({ users, phone }) => {
      const requester = await requesterOf(users, phone);
      done(await users.deactivate(request(), requester, { auth: passwordAuth("alice") }));
    },
  ],
  ["another login of its device", ({ users }) => login(users, "alice", { device_id: "LAPTOP" })],
  ["the end of its login by OAuth", ({ users, alice }) => users.endDevice(alice.userId, "LAPTOP")],
  [
    "the locking of the account",
    ({ users, owner, alice }) => users.moderate(owner, alice.userId, { locked: true }),
    error("M_USER_LOCKED", 401),
  ],
  [
    "the locking of the account by the console",
    ({ users, alice }) => users.console.change(alice.userId, { locked: true }),
    error("M_USER_LOCKED", 401),
  ],
  [
    "the removal of its devices by the console",
    ({ users, alice }) => users.console.deleteDevices(alice.userId),
  ],
])("a held request ends with %s", async (_, end, told = unknown) => {
  const t = await people();
  const held = hold(t.users, t.alice);
  await end(t);
  // The answer comes too late, by whatever little.
  held.answer("too late");
  await expect(held.answered).rejects.toEqual(told);
  expect(held.stop).toHaveBeenCalledOnce();
  const next = hold(t.users, t.alice);
  next.answer("a request that was let in before");
  await expect(next.answered).rejects.toEqual(told);
});

describe("a held request goes on", () => {
  test.each<[what: string, happens: (people: People) => Promise<unknown>]>([
    ["another device goes", async ({ users, phone }) => users.logout(await requesterOf(users, phone))],
    [
      "another account is locked",
      async ({ users, owner }) => {
        const { user_id } = await register(users, "bob");
        await users.moderate(owner, user_id, { locked: true });
      },
    ],
    [
      "its account is suspended",
      ({ users, owner, alice }) => users.moderate(owner, alice.userId, { suspended: true }),
    ],
    [
      "its logout fails",
      async ({ users, alice }) => {
        failNextCommit(users.storage);
        await expect(users.logout(alice)).rejects.toThrow();
      },
    ],
  ])("when %s", async (_, happens) => {
    const t = await people();
    const held = hold(t.users, t.alice);
    await happens(t);
    held.answer("news");
    expect(await held.answered).toBe("news");
    expect(held.stop).not.toHaveBeenCalled();
  });

  test("when its token is refreshed, and the new one used", async () => {
    const users = await testUsers();
    const phone = await register(users, "alice", { refresh_token: true });
    const held = hold(users, await requesterOf(users, phone));
    const next = await users.refresh(request(), phone.refresh_token!);
    await requesterOf(users, { ...phone, ...next });
    held.answer("news");
    expect(await held.answered).toBe("news");
  });
});

test("a logout that is not on the disk yet ends nothing", async () => {
  const { users, alice } = await people();
  const commit = holdNextCommit(users.storage);
  const logout = users.logout(alice);
  await commit.reached;
  const held = hold(users, alice);
  held.answer("news");
  expect(await held.answered).toBe("news");
  commit.release();
  await logout;
});

describe("a token that expires", () => {
  async function expiring(): Promise<{ users: TestUsers; phone: LoggedIn; requester: DeviceRequester }> {
    const users = await testUsers();
    const phone = await register(users, "alice", { refresh_token: true });
    const requester = await requesterOf(users, phone);
    users.world.time += accessTokenLifetimeMs - 2;
    return { users, phone, requester };
  }
  const expired = expect.objectContaining({
    errcode: "M_UNKNOWN_TOKEN",
    status: 401,
    extra: { soft_logout: true },
  });

  test("ends what is held, softly", async () => {
    const { users, requester } = await expiring();
    const held = hold(users, requester);
    users.world.time += 2;
    await expect(held.answered).rejects.toEqual(expired);
    expect(held.stop).toHaveBeenCalledOnce();
  });

  test("gets no answer that comes at that moment", async () => {
    const { users, requester } = await expiring();
    const held = hold(users, requester);
    users.world.time += 2;
    held.answer("too late");
    await expect(held.answered).rejects.toEqual(expired);
  });
});

test("a leader that has never seen the token looks at it", async () => {
  const { users, alice, phone } = await people();
  const stays = await requesterOf(users, phone);
  await users.logout(alice);
  const next = await users.reopen();
  for (const [requester, says] of [
    [alice, undefined],
    [stays, "news"],
  ] as const) {
    const held = hold(next, requester);
    held.answer("news");
    expect(await held.answered.catch(() => undefined)).toBe(says);
  }
});
