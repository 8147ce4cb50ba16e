import { describe, expect, test } from "vitest";
import { pusherBelongings } from "../../../src/worker-roomserver/push/pushers/belongings.ts";
import type { PusherRow } from "../../../src/worker-roomserver/storage/schema.ts";
import { nextTask } from "../support/rounds.ts";
import {
  challenge,
  error,
  login,
  passwordAuth,
  register,
  request,
  requesterOf,
  type TestUsers,
  testUsers,
} from "../support/users.ts";

/** Two devices of alice and one of bob, of the same name, each with a pusher. */
async function withPushers() {
  const users = await testUsers();
  users.world.belongings = pusherBelongings(users.storage);
  const phone = await register(users, "alice", { device_id: "PHONE" });
  const laptop = await login(users, "alice", { device_id: "LAPTOP" });
  const bobs = await register(users, "bob", { device_id: "PHONE" });
  for (const { user_id: userId, device_id: deviceId } of [phone, laptop, bobs]) {
    const row: PusherRow = { userId, deviceId, appId: "a", pushkey: deviceId, json: "{}", ts: 1, start: 1 };
    const progress = { start: 1, sent: 1, failures: 0, notBefore: 0 };
    await users.storage.commit((write) => {
      write.put("pushers", row);
      write.put("pushProgress", progress, [userId, "a", deviceId]);
    });
  }
  return { users, alice: await requesterOf(users, phone), bob: await requesterOf(users, bobs) };
}

async function left({ storage }: TestUsers): Promise<string[]> {
  const [pushers, progress] = await Promise.all([
    storage.getAllKeys("pushers"),
    storage.getAllKeys("pushProgress"),
  ]);
  expect(progress).toEqual(pushers);
  return pushers.map(([userId, , pushkey]) => `${userId.slice(1, userId.indexOf(":"))} ${pushkey}`);
}

describe("the pushers of a device", () => {
  test("go with it when it is logged out, and no others", async () => {
    const { users, alice } = await withPushers();
    await users.logout(alice);
    expect(await left(users)).toEqual(["alice LAPTOP", "bob PHONE"]);
  });

  test("go with it when all are logged out", async () => {
    const { users, alice } = await withPushers();
    await users.logoutAll(alice);
    expect(await left(users)).toEqual(["bob PHONE"]);
  });

  test("go with it when it is deleted", async () => {
    const { users, alice } = await withPushers();
    const ask = (auth?: object) => users.deleteDevices(request(), alice, ["LAPTOP"], auth as never);
    const { session } = challenge(await ask());
    await ask(passwordAuth("alice", { session }));
    expect(await left(users)).toEqual(["alice PHONE", "bob PHONE"]);
  });

  test("end with its tokens when somebody logs in under its name", async () => {
    const { users } = await withPushers();
    await login(users, "alice", { device_id: "PHONE" });
    expect(await left(users)).toEqual(["alice LAPTOP", "bob PHONE"]);
  });
});

describe("what is written of a device", () => {
  test("is written before it is removed, or not at all", async () => {
    const { users, alice } = await withPushers();
    const order: string[] = [];
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const writing = users.whileDevice(alice, async () => {
      await finished;
      order.push("written");
    });
    const removing = users.logout(alice).then(() => order.push("removed"));
    await nextTask();
    expect(order).toEqual([]);
    finish();
    await Promise.all([writing, removing]);
    expect(order).toEqual(["written", "removed"]);
    await expect(users.whileDevice(alice, async () => order.push("late"))).rejects.toEqual(
      error("M_UNKNOWN_TOKEN", 401),
    );
    expect(order).toHaveLength(2);
  });
});
