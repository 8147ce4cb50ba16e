import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { JsonValue } from "../../../src/matrix/json.ts";
import type { Position } from "../../../src/worker-roomserver/storage/schema.ts";
import { nextTask, until } from "../support/rounds.ts";
import { logAfter } from "../support/storage.ts";
import { done, error, login, register, request, requesterOf, testUsers } from "../support/users.ts";

async function aliceAtHome() {
  const users = await testUsers();
  const alice = await requesterOf(users, await register(users, "alice"));
  const set = (field: string, value: JsonValue | undefined) =>
    users.setProfileField(alice, alice.userId, field, value);
  return { users, alice, set };
}

const avatar = "mxc://home.example/abc-DEF_1";

describe("a profile", () => {
  test("has what was set, over a restart, and tells the log of it", async () => {
    const { users: before, alice, set } = await aliceAtHome();
    const position = before.storage.position;
    await set("displayname", "Alice Ångström");
    await set("avatar_url", avatar);
    await set("m.tz", "Europe/Berlin");
    await set("org.example.field", { list: [1, null, "x"] });
    const users = await before.reopen();
    expect(await users.profile(alice.userId)).toEqual({
      displayname: "Alice Ångström",
      avatar_url: avatar,
      "m.tz": "Europe/Berlin",
      "org.example.field": { list: [1, null, "x"] },
    });
    expect(await users.memberProfile(alice.userId)).toEqual({
      displayname: "Alice Ångström",
      avatar_url: avatar,
    });
    const user = await users.storage.names.find(alice.userId);
    const entries = await logAfter(users.storage, position);
    expect(entries.map(({ topic, detail }) => [topic, detail])).toEqual([
      ["profile", "displayname"],
      ["profile", "avatar_url"],
      ["profile", "m.tz"],
      ["profile", "org.example.field"],
    ]);
    for (const entry of entries) expect(entry.user).toBe(user);
    expect((await users.storage.get("profiles", alice.userId))?.p).toBe(entries.at(-1)?.position);
  });

  test.each<[how: string, value: string | undefined]>([
    ["by removing it", undefined],
    ["by setting it to nothing", ""],
  ])("loses a field %s, and may be empty", async (_, value) => {
    const { users, alice, set } = await aliceAtHome();
    await set("avatar_url", avatar);
    await set("avatar_url", value);
    expect(await users.profile(alice.userId)).toEqual({ displayname: "alice" });
    await set("displayname", value);
    expect(await users.profile(alice.userId)).toEqual({});
    expect(await users.memberProfile(alice.userId)).toEqual({});
  });

  test("is not written where nothing changes", async () => {
    const { users, set } = await aliceAtHome();
    const position = users.storage.position;
    await set("displayname", "alice");
    await set("org.example.field", undefined);
    expect(users.storage.position).toBe(position);
  });

  test("loses nothing when several fields are set at once", async () => {
    const { users, alice, set } = await aliceAtHome();
    const keys = Array.from({ length: 10 }, (_, i) => `org.example.f${i}`);
    await Promise.all(keys.map((key) => set(key, key)));
    expect(Object.keys(await users.profile(alice.userId)).sort()).toEqual(["displayname", ...keys].sort());
  });

  test("of nobody is not found", async () => {
    const { users } = await aliceAtHome();
    const missing = error("M_NOT_FOUND", 404);
    await expect(users.profile("@bob:home.example")).rejects.toEqual(missing);
    await expect(users.profile("@alice:other.example")).rejects.toEqual(missing);
    await expect(users.profile("alice")).rejects.toEqual(error("M_INVALID_PARAM", 400));
    expect(await users.memberProfile("@bob:home.example")).toEqual({});
  });

  test("is its owner's to change", async () => {
    const { users, alice } = await aliceAtHome();
    const bob = await requesterOf(users, await register(users, "bob"));
    const refused = error("M_FORBIDDEN", 403);
    await expect(users.setProfileField(bob, alice.userId, "displayname", "Mallory")).rejects.toEqual(refused);
    await expect(users.setProfileField(bob, alice.userId, "displayname", undefined)).rejects.toEqual(refused);
    expect(await users.profile(alice.userId)).toEqual({ displayname: "alice" });
  });

  test("of a guest has a name, which is all that a guest may change", async () => {
    const users = await testUsers();
    const { access_token } = done(await users.register(request(), "guest", {}));
    const { requester } = await users.authenticate(access_token!);
    await users.setProfileField(requester, requester.userId, "displayname", "Visitor");
    expect(await users.profile(requester.userId)).toEqual({ displayname: "Visitor" });
    await expect(users.setProfileField(requester, requester.userId, "avatar_url", avatar)).rejects.toEqual(
      error("M_GUEST_ACCESS_FORBIDDEN", 403),
    );
  });
});

describe("a profile's field", () => {
  const ok = undefined;
  test.each<[field: string, value: JsonValue, errcode: string | undefined]>([
    ["displayname", "x".repeat(256), ok],
    ["displayname", "x".repeat(257), "M_INVALID_PARAM"],
    ["displayname", null, "M_BAD_JSON"],
    ["displayname", 5, "M_BAD_JSON"],
    ["avatar_url", avatar, ok],
    ["avatar_url", "https://home.example/a.png", "M_INVALID_PARAM"],
    ["avatar_url", "mxc://home.example/", "M_INVALID_PARAM"],
    ["avatar_url", "mxc://home.example/a/b", "M_INVALID_PARAM"],
    ["avatar_url", "mxc://ho me/a", "M_INVALID_PARAM"],
    ["avatar_url", `mxc://home.example/${"a".repeat(981)}`, ok],
    ["avatar_url", `mxc://home.example/${"a".repeat(982)}`, "M_INVALID_PARAM"],
    ["avatar_url", {}, "M_BAD_JSON"],
    ["m.tz", "Europe/Berlin", ok],
    ["m.tz", 1, "M_BAD_JSON"],
    ["org.example.field", null, ok],
    ["org.example-1.a_b", false, ok],
    ["field", "x", "M_INVALID_PARAM"],
    ["org.Example", "x", "M_INVALID_PARAM"],
    ["1org.example", "x", "M_INVALID_PARAM"],
    ["org..example", "x", "M_INVALID_PARAM"],
    ["__proto__", "x", "M_INVALID_PARAM"],
    ["", "x", "M_INVALID_PARAM"],
    [`o.${"x".repeat(253)}`, "x", ok],
    [`o.${"x".repeat(254)}`, "x", "M_KEY_TOO_LARGE"],
  ])("%s may be %j: %s", async (field, value, errcode) => {
    const { users, alice, set } = await aliceAtHome();
    if (errcode === undefined) {
      await set(field, value);
      expect(await users.profile(alice.userId)).toMatchObject({ [field]: value });
    } else await expect(set(field, value)).rejects.toEqual(error(errcode, 400));
  });

  test("fits in while the whole profile is under 64 KiB of UTF-8", async () => {
    const { users, alice, set } = await aliceAtHome();
    const rest = JSON.stringify({ displayname: "alice", "org.example.f": "" }).length;
    const fits = 64 * 1024 - 1 - rest;
    const tooMuch = error("M_PROFILE_TOO_LARGE", 400);
    await expect(set("org.example.f", "x".repeat(fits + 1))).rejects.toEqual(tooMuch);
    await expect(set("org.example.f", `é${"x".repeat(fits - 1)}`)).rejects.toEqual(tooMuch);
    await set("org.example.f", "x".repeat(fits));
    await expect(set("org.example.g", "")).rejects.toEqual(tooMuch);
    // What is there can be made smaller again.
    await set("org.example.f", undefined);
    expect(await users.profile(alice.userId)).toEqual({ displayname: "alice" });
  });
});

describe("rooms", () => {
  /** Keeps the positions that were waited for, until each is let go. */
  function roomsThatTakeTime() {
    const waiting = new Map<Position, () => void>();
    const announced = (position: Position) => new Promise<void>((resolve) => waiting.set(position, resolve));
    return { waiting, announced };
  }

  test("have a change before the client is answered, and it is stored before they hear of it", async () => {
    const { users, alice, set } = await aliceAtHome();
    const { waiting, announced } = roomsThatTakeTime();
    users.world.profilesAnnounced = announced;
    let answered = false;
    const setting = set("displayname", "Alice").then(() => {
      answered = true;
    });
    await until(() => waiting.size === 1);
    expect(await users.profile(alice.userId)).toEqual({ displayname: "Alice" });
    const [[position, resolve]] = waiting as unknown as [[Position, () => void]];
    expect(position).toBe(users.storage.position);
    await nextTask();
    expect(answered).toBe(false);
    resolve();
    await setting;
  });

  test("are waited for by whoever asks for the same again: perhaps the last leader died in between", async () => {
    const { users, set } = await aliceAtHome();
    await set("displayname", "Alice");
    const position = users.storage.position;
    const announced = vi.fn(async () => undefined);
    users.world.profilesAnnounced = announced;
    await set("displayname", "Alice");
    expect(announced).toHaveBeenCalledExactlyOnceWith(position);
    expect(users.storage.position).toBe(position);
  });

  test("do not keep an account from other business while they take their time", async () => {
    const { users, set } = await aliceAtHome();
    const { waiting, announced } = roomsThatTakeTime();
    users.world.profilesAnnounced = announced;
    const setting = set("displayname", "Alice");
    await until(() => waiting.size === 1);
    await login(users, "alice");
    for (const resolve of waiting.values()) resolve();
    await setting;
  });

  test("that cannot be reached do not undo the change", async () => {
    const { users, alice, set } = await aliceAtHome();
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => consoleError.mockRestore());
    users.world.profilesAnnounced = () => Promise.reject(new Error("the disk is full"));
    await set("displayname", "Alice");
    expect(consoleError).toHaveBeenCalledOnce();
    expect(await users.profile(alice.userId)).toEqual({ displayname: "Alice" });
  });
});
