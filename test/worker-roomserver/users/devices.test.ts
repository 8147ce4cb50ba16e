import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import {
  challenge,
  error,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  testUsers,
} from "../support/users.ts";

async function aliceAndBob() {
  const users = await testUsers();
  const phone = await register(users, "alice", { device_id: "PHONE" });
  const laptop = await login(users, "alice", { device_id: "LAPTOP" });
  const bobs = await register(users, "bob", { device_id: "PHONE" });
  return {
    users,
    laptop,
    alice: await requesterOf(users, phone),
    bob: await requesterOf(users, bobs),
  };
}

describe("devices", () => {
  test("are listed by id, with nothing where there is nothing", async () => {
    const { users, alice, bob } = await aliceAndBob();
    const last_seen_ts = users.world.time;
    expect(await users.devices(alice)).toEqual([
      { device_id: "LAPTOP", last_seen_ts },
      { device_id: "PHONE", last_seen_ts },
    ]);
    expect(await users.devices(bob)).toEqual([{ device_id: "PHONE", last_seen_ts }]);
    await expect(users.device(bob, "LAPTOP")).rejects.toEqual(error("M_NOT_FOUND", 404));
  });

  test("are renamed by their owner only, and an absent name changes nothing", async () => {
    const { users, alice, bob } = await aliceAndBob();
    await users.renameDevice(alice, "PHONE", "Phone");
    await users.renameDevice(alice, "PHONE", undefined);
    expect(await users.device(alice, "PHONE")).toMatchObject({ display_name: "Phone" });
    expect(await users.device(bob, "PHONE")).not.toHaveProperty("display_name");
    await expect(users.renameDevice(bob, "LAPTOP", "mine")).rejects.toEqual(error("M_NOT_FOUND", 404));
    await users.renameDevice(alice, "PHONE", "x".repeat(256));
    await expect(users.renameDevice(alice, "PHONE", "x".repeat(257))).rejects.toEqual(
      error("M_INVALID_PARAM", 400),
    );
  });

  test("are deleted with their tokens once the password was given", async () => {
    const { users, alice, laptop } = await aliceAndBob();
    const ask = (auth?: JsonObject) => users.deleteDevices(request(), alice, ["LAPTOP", "OTHER"], auth);
    const { session, flows } = challenge(await ask());
    expect(flows).toEqual([{ stages: ["m.login.password"] }]);
    const wrong = challenge(await ask(passwordAuth("alice", { session, password: "wrong" })));
    expect(wrong).toMatchObject({ session, flows, errcode: "M_FORBIDDEN" });
    expect(await users.devices(alice)).toHaveLength(2);
    expect(users.world.belongings.removal).not.toHaveBeenCalled();
    expect(await ask(passwordAuth("alice", { session }))).toEqual({});
    // Others remove what they keep for it in the same unit; of one that is not there they need not be told.
    const removed = { userId: alice.userId, deviceIds: ["LAPTOP"], isAccount: false };
    expect(users.world.belongings.removal).toHaveBeenCalledExactlyOnceWith(removed);
    expect(await users.devices(alice)).toMatchObject([{ device_id: "PHONE" }]);
    await expect(users.authenticate(laptop.access_token)).rejects.toEqual(error("M_UNKNOWN_TOKEN", 401));
  });

  test("the same request is answered once and for all, also by the next leader", async () => {
    const { users: before, alice } = await aliceAndBob();
    const again = request();
    const auth = passwordAuth("alice");
    expect(await before.deleteDevices(again, alice, ["LAPTOP"], auth)).toEqual({});
    const users = await before.reopen();
    await login(users, "alice", { device_id: "LAPTOP" });
    expect(await users.deleteDevices(again, alice, ["LAPTOP"], auth)).toEqual({});
    expect(await users.devices(alice)).toHaveLength(2);
  });
});

describe("a session of user-interactive authentication", () => {
  test.each<[what: string, by: "alice" | "bob", deviceIds: string[], ok: boolean]>([
    ["the same devices", "alice", ["LAPTOP", "PHONE"], true],
    ["the same devices in another order", "alice", ["PHONE", "LAPTOP"], true],
    ["fewer devices", "alice", ["PHONE"], false],
    ["another device", "alice", ["LAPTOP", "OTHER"], false],
    ["someone else's devices", "bob", ["LAPTOP", "PHONE"], false],
  ])("for %s", async (_, by, deviceIds, ok) => {
    const { users, alice, bob } = await aliceAndBob();
    const opened = await users.deleteDevices(request(), alice, ["LAPTOP", "PHONE"], undefined);
    const { session } = challenge(opened);
    const requester = by === "alice" ? alice : bob;
    const attempt = users.deleteDevices(request(), requester, deviceIds, passwordAuth(by, { session }));
    if (ok) expect(await attempt).toEqual({});
    else await expect(attempt).rejects.toEqual(error("M_FORBIDDEN", 403));
  });

  test("serves no other endpoint", async () => {
    const { users, alice } = await aliceAndBob();
    const { session } = challenge(await users.deleteDevices(request(), alice, ["LAPTOP"], undefined));
    const auth = passwordAuth("alice", { session });
    const refusal = error("M_FORBIDDEN", 403);
    await expect(users.deactivate(request(), alice, { auth })).rejects.toEqual(refusal);
    await expect(users.changePassword(request(), alice, { auth, new_password: "x" })).rejects.toEqual(
      refusal,
    );
    await expect(users.confirmOwner(alice, "keys", auth)).rejects.toEqual(refusal);
    await expect(
      users.register(request(), "user", { auth: { type: "m.login.dummy", session } }),
    ).rejects.toEqual(refusal);
    expect(await users.deleteDevices(request(), alice, ["LAPTOP"], auth)).toEqual({});
  });

  test.each<[what: string, auth: JsonObject]>([
    ["another user's password", passwordAuth("bob")],
    ["no password", { type: "m.login.password", user: "alice" }],
    ["a password that is no text", passwordAuth("alice", { password: 1 })],
    ["a stage that is not offered", { type: "m.login.dummy" }],
    ["a type that is no text", { type: {} }],
  ])("%s does not do", async (_, auth) => {
    const { users, alice } = await aliceAndBob();
    const refused = challenge(await users.deleteDevices(request(), alice, ["LAPTOP"], auth));
    expect(refused).toMatchObject({
      errcode: "M_FORBIDDEN",
      error: expect.any(String),
      session: expect.any(String),
    });
    expect(await users.devices(alice)).toHaveLength(2);
  });

  test("other components can ask for the owner's password as well", async () => {
    const { users, alice } = await aliceAndBob();
    const first = await users.confirmOwner(alice, "keys", undefined);
    const { session } = challenge(first!);
    expect(await users.confirmOwner(alice, "keys", passwordAuth("alice", { session }))).toBeUndefined();
  });
});
