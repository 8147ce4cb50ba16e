import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Write } from "../../../src/worker-roomserver/storage/api.ts";
import type { Removed } from "../../../src/worker-roomserver/users/api.ts";
import {
  challenge,
  error,
  failNextCommit,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  testUsers,
} from "../support/users.ts";

const refused = error("M_FORBIDDEN", 403);
const unknownToken = error("M_UNKNOWN_TOKEN", 401);

async function aliceWithTwoDevices() {
  const users = await testUsers();
  const phone = await register(users, "alice", { refresh_token: true });
  const laptop = await login(users, "alice", { refresh_token: true });
  return { users, phone, laptop, alice: await requesterOf(users, phone) };
}

describe("changing a password", () => {
  test.each<[logout: boolean | undefined, laptopLeft: boolean]>([
    [undefined, false],
    [true, false],
    [false, true],
  ])("with logout_devices %s", async (logout_devices, laptopLeft) => {
    const { users, phone, laptop, alice } = await aliceWithTwoDevices();
    const body = { new_password: "new", logout_devices };
    const { session } = challenge(await users.changePassword(request(), alice, body));
    const auth = passwordAuth("alice", { session });
    expect(await users.changePassword(request(), alice, { ...body, auth })).toEqual({});
    await expect(login(users, "alice")).rejects.toEqual(refused);
    expect(await login(users, "alice", { password: "new" })).toMatchObject({ user_id: alice.userId });
    expect((await users.authenticate(phone.access_token)).requester).toEqual(alice);
    expect(await users.refresh(request(), phone.refresh_token!)).toBeDefined();
    const laptops = users.authenticate(laptop.access_token);
    if (laptopLeft) expect((await laptops).requester.deviceId).toBe(laptop.device_id);
    else await expect(laptops).rejects.toEqual(unknownToken);
  });

  test("needs the old one, and a new one", async () => {
    const { users, alice } = await aliceWithTwoDevices();
    const wrong = { new_password: "new", auth: passwordAuth("alice", { password: "wrong" }) };
    expect(challenge(await users.changePassword(request(), alice, wrong))).toMatchObject({
      errcode: "M_FORBIDDEN",
    });
    const empty = { new_password: "", auth: passwordAuth("alice") };
    await expect(users.changePassword(request(), alice, empty)).rejects.toEqual(
      error("M_WEAK_PASSWORD", 400),
    );
    expect(await login(users, "alice")).toMatchObject({ user_id: alice.userId });
  });

  test("is kept over a restart, and answered once", async () => {
    const { users: before, alice } = await aliceWithTwoDevices();
    const again = request();
    const body = { new_password: "new", auth: passwordAuth("alice") };
    await before.changePassword(again, alice, body);
    const users = await before.reopen();
    expect(await users.changePassword(again, alice, body)).toEqual({});
    expect(await login(users, "alice", { password: "new" })).toMatchObject({ user_id: alice.userId });
  });
});

describe("deactivating an account", () => {
  test("needs the password", async () => {
    const { users, alice } = await aliceWithTwoDevices();
    expect(challenge(await users.deactivate(request(), alice, {}))).toMatchObject({
      flows: [{ stages: ["m.login.password"] }],
    });
    expect(await users.isLocalAccount(alice.userId)).toBe(true);
  });

  test("ends its logins for good and keeps its name taken", async () => {
    const { users: before, phone, laptop, alice } = await aliceWithTwoDevices();
    const again = request();
    const body = { auth: passwordAuth("alice") };
    const answer = { id_server_unbind_result: "success" };
    expect(await before.deactivate(again, alice, body)).toEqual(answer);
    const users = await before.reopen();
    expect(await users.deactivate(again, alice, body)).toEqual(answer);
    for (const { access_token, refresh_token } of [phone, laptop]) {
      await expect(users.authenticate(access_token)).rejects.toEqual(unknownToken);
      await expect(users.refresh(request(), refresh_token!)).rejects.toEqual(unknownToken);
    }
    await expect(login(users, "alice")).rejects.toEqual(refused);
    await expect(login(users, "alice", { password: "" })).rejects.toEqual(refused);
    await expect(register(users, "alice")).rejects.toEqual(error("M_USER_IN_USE", 400));
    expect(await users.isLocalAccount(alice.userId)).toBe(false);
    expect(await users.profile(alice.userId)).toEqual({ displayname: "alice" });
  });

  test("takes along what others keep for it and for its devices, in the same unit", async () => {
    const { users, alice } = await aliceWithTwoDevices();
    const fill = vi.fn((write: Write) => void write.append({ topic: "media" }));
    const removal = vi.fn(async (_: Removed) => fill);
    users.world.belongings = { removal };
    await users.deactivate(request(), alice, {});
    expect(removal).not.toHaveBeenCalled();
    failNextCommit(users.storage);
    const auth = passwordAuth("alice");
    await expect(users.deactivate(request(), alice, { auth })).rejects.toThrow();
    const { position } = users.storage;
    await users.deactivate(request(), alice, { auth });
    const deviceIds = (await users.storage.entriesAfter(position, 9))?.map(({ topic, detail }) => [
      topic,
      detail,
    ]);
    expect(deviceIds?.map(([topic]) => topic)).toEqual(["session", "session", "media"]);
    const gone = deviceIds?.slice(0, 2).map(([, deviceId]) => deviceId);
    expect(removal).toHaveBeenLastCalledWith({ userId: alice.userId, deviceIds: gone, isAccount: true });
    expect(await users.isLocalAccount(alice.userId)).toBe(false);
  });

  test("erases the profile where that is wanted", async () => {
    const { users, alice } = await aliceWithTwoDevices();
    const user = await users.storage.names.find(alice.userId);
    const position = users.storage.position;
    await users.deactivate(request(), alice, { auth: passwordAuth("alice"), erase: true });
    await expect(users.profile(alice.userId)).rejects.toEqual(error("M_NOT_FOUND", 404));
    expect(await users.storage.entriesAfter(position, 10)).toMatchObject([
      { topic: "session", user },
      { topic: "session", user },
      { topic: "profile", user },
    ]);
  });

  test("leaves its rooms, and the next leader goes on where this one could not", async () => {
    const { users: before, alice } = await aliceWithTwoDevices();
    const { world } = before;
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => consoleError.mockRestore());
    world.leaveRooms = () => Promise.reject(new Error("the tab has closed"));
    await before.deactivate(request(), alice, { auth: passwordAuth("alice") });
    await vi.waitFor(() => expect(consoleError).toHaveBeenCalledOnce());
    const left: string[] = [];
    world.leaveRooms = async (userId) => {
      left.push(userId);
    };
    const users = await before.reopen();
    await users.finishDeactivations();
    await users.finishDeactivations();
    expect(left).toEqual([alice.userId]);
  });
});
