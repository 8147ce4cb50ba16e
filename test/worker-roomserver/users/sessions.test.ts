import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { accessTokenLifetimeMs, lastSeenEveryMs } from "../../../src/worker-roomserver/users/sessions.ts";
import {
  error,
  failNextCommit,
  holdNextCommit,
  type LoggedIn,
  login,
  register,
  request,
  requesterOf,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

const unknownToken = error("M_UNKNOWN_TOKEN", 401);

const refreshable = (users: TestUsers, name: string) => register(users, name, { refresh_token: true });

async function works(users: TestUsers, token: string): Promise<boolean> {
  try {
    await users.authenticate(token);
    return true;
  } catch (refusal) {
    expect(refusal).toEqual(unknownToken);
    return false;
  }
}

const seenAt = async (users: TestUsers, { user_id, device_id }: LoggedIn) =>
  (await users.storage.get("devices", [user_id, device_id]))?.lastSeenTs;

describe("authenticate", () => {
  test.each(["", "hearth_access_AAAA", "h\u00e9"])("knows no token %j", async (token) => {
    const users = await testUsers();
    await register(users, "alice");
    await expect(users.authenticate(token)).rejects.toMatchObject({
      errcode: "M_UNKNOWN_TOKEN",
      status: 401,
      extra: {},
    });
  });

  test("takes no refresh token for an access token, nor the other way round", async () => {
    const users = await testUsers();
    const { access_token, refresh_token } = await refreshable(users, "alice");
    await expect(users.authenticate(refresh_token!)).rejects.toEqual(unknownToken);
    await expect(users.refresh(request(), access_token)).rejects.toEqual(unknownToken);
  });

  test("says of an expired token that the session is still there", async () => {
    const users = await testUsers();
    const alice = await refreshable(users, "alice");
    const { access_token, expires_in_ms } = alice;
    expect(expires_in_ms).toBe(accessTokenLifetimeMs);
    users.world.time += accessTokenLifetimeMs - 1;
    expect((await users.authenticate(access_token)).expiresAt).toBe(users.world.time + 1);
    users.world.time += 1;
    await expect(users.authenticate(access_token)).rejects.toMatchObject({
      errcode: "M_UNKNOWN_TOKEN",
      status: 401,
      extra: { soft_logout: true },
    });
    await vi.waitFor(async () => expect(await seenAt(users, alice)).toBe(users.world.time - 1));
  });
});

describe("when a device was last seen", () => {
  test("is brought up to date once a minute", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice");
    const start = users.world.time;
    users.world.time = start + lastSeenEveryMs - 1;
    await users.authenticate(alice.access_token);
    await users.storage.settled();
    expect(await seenAt(users, alice)).toBe(start);
    users.world.time = start + lastSeenEveryMs;
    const commit = vi.spyOn(users.storage, "commit");
    await Promise.all(Array.from({ length: 5 }, () => users.authenticate(alice.access_token)));
    await vi.waitFor(async () => expect(await seenAt(users, alice)).toBe(start + lastSeenEveryMs));
    expect(commit).toHaveBeenCalledTimes(1);
  });

  test("does not bring back a device that has logged out", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice");
    const requester = await requesterOf(users, alice);
    users.world.time += lastSeenEveryMs;
    const { reached, release } = holdNextCommit(users.storage);
    const logout = users.logout(requester);
    await reached;
    await users.authenticate(alice.access_token); // sees the device, and is to write it once the logout is done
    release();
    await logout;
    // Comes after that write, as both wait for the same lock.
    await expect(users.renameDevice(requester, alice.device_id, "back")).rejects.toEqual(
      error("M_NOT_FOUND", 404),
    );
    expect(await seenAt(users, alice)).toBeUndefined();
  });

  test("may fail to be stored: the request does not", async () => {
    const users = await testUsers();
    const alice = await register(users, "alice");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    users.world.time += lastSeenEveryMs;
    failNextCommit(users.storage);
    expect(await works(users, alice.access_token)).toBe(true);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce());
    await users.authenticate(alice.access_token);
    await vi.waitFor(async () => expect(await seenAt(users, alice)).toBe(users.world.time));
  });
});

describe("refresh", () => {
  test("gives new tokens; the old are good until one of the new is used", async () => {
    const users = await testUsers();
    const first = await refreshable(users, "alice");
    const second = await users.refresh(request(), first.refresh_token!);
    expect(second.expires_in_ms).toBe(accessTokenLifetimeMs);
    expect(await works(users, first.access_token)).toBe(true);
    expect(await works(users, second.access_token)).toBe(true);
    expect(await works(users, first.access_token)).toBe(false);
    await expect(users.refresh(request(), first.refresh_token!)).rejects.toEqual(unknownToken);
    expect(await users.refresh(request(), second.refresh_token)).toBeDefined();
  });

  test("revives a device whose access token has expired, also after the tab was closed", async () => {
    const before = await testUsers();
    const first = await refreshable(before, "alice");
    const users = await before.reopen();
    users.world.time += 10 * accessTokenLifetimeMs;
    const second = await users.refresh(request(), first.refresh_token!);
    expect((await users.authenticate(second.access_token)).requester.deviceId).toBe(first.device_id);
    await vi.waitFor(async () => expect(await seenAt(users, first)).toBe(users.world.time));
  });

  test("an answer that was lost can be asked for again", async () => {
    const users = await testUsers();
    const first = await refreshable(users, "alice");
    const lost = await users.refresh(request(), first.refresh_token!);
    const second = await users.refresh(request(), first.refresh_token!);
    expect(await works(users, lost.access_token)).toBe(false);
    await expect(users.refresh(request(), lost.refresh_token)).rejects.toEqual(unknownToken);
    expect(await works(users, second.access_token)).toBe(true);
  });

  test("the same request is answered alike, also by the next leader", async () => {
    const before = await testUsers();
    const first = await refreshable(before, "alice");
    const again = request();
    const second = await before.refresh(again, first.refresh_token!);
    const users = await before.reopen();
    expect(await users.refresh(again, first.refresh_token!)).toEqual(second);
    expect(await works(users, second.access_token)).toBe(true);
  });

  test("of many at once with one token, one pair is left to be used", async () => {
    const users = await testUsers();
    const first = await refreshable(users, "alice");
    const pairs = await Promise.all(
      Array.from({ length: 5 }, () => users.refresh(request(), first.refresh_token!)),
    );
    const good = await Promise.all(pairs.map(({ access_token }) => works(users, access_token)));
    expect(good.filter(Boolean)).toHaveLength(1);
    expect((await users.storage.getAllKeys("tokens")).length).toBe(2);
  });

  test("any order of refreshing and using: what is good is as the spec says, and rows do not pile up", async () => {
    const users = await testUsers();
    type Pair = { access: string; refresh: string };
    const step = fc.record({ pair: fc.nat(), how: fc.constantFrom("use", "refresh") });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const start = await refreshable(users, crypto.randomUUID());
        let current: Pair = { access: start.access_token, refresh: start.refresh_token! };
        let pending: Pair | undefined;
        const all = [current];
        for (const { pair: index, how } of steps) {
          const pair = all[index % all.length]!;
          const isGood = pair === current || pair === pending;
          if (isGood && pair === pending) [current, pending] = [pair, undefined];
          if (how === "use") {
            expect(await works(users, pair.access)).toBe(isGood);
          } else if (isGood) {
            const { access_token, refresh_token } = await users.refresh(request(), pair.refresh);
            pending = { access: access_token, refresh: refresh_token };
            all.push(pending);
          } else {
            await expect(users.refresh(request(), pair.refresh)).rejects.toEqual(unknownToken);
          }
          const ofDevice = IDBKeyRange.only([start.user_id, start.device_id]);
          const rows = await users.storage.keysFromIndex("tokens", "device", ofDevice);
          expect(rows.length).toBe(pending === undefined ? 2 : 4);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("logout", () => {
  test("ends the device that asks for it, and no other", async () => {
    const users = await testUsers();
    const phone = await refreshable(users, "alice");
    const laptop = await login(users, "alice");
    await users.logout(await requesterOf(users, phone));
    expect(await works(users, phone.access_token)).toBe(false);
    await expect(users.refresh(request(), phone.refresh_token!)).rejects.toEqual(unknownToken);
    const requester = await requesterOf(users, laptop);
    expect(await users.devices(requester)).toMatchObject([{ device_id: laptop.device_id }]);
  });

  test("of all ends all devices of the user, and no one else's", async () => {
    const before = await testUsers();
    const phone = await register(before, "alice");
    const laptop = await login(before, "alice");
    const bob = await register(before, "bob");
    await before.logoutAll(await requesterOf(before, phone));
    const users = await before.reopen();
    expect(await works(users, phone.access_token)).toBe(false);
    expect(await works(users, laptop.access_token)).toBe(false);
    expect(await works(users, bob.access_token)).toBe(true);
  });

  test("twice is no error", async () => {
    const users = await testUsers();
    const requester = await requesterOf(users, await register(users, "alice"));
    await users.logout(requester);
    expect(await users.logout(requester)).toBeUndefined();
  });
});
