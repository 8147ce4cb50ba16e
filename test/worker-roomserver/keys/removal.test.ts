import { describe, expect, test } from "vitest";
import { crossSigner } from "../support/crypto-device.ts";
import { type Somebody, type TestKeys, testKeys } from "../support/keys.ts";
import { logAfter } from "../support/storage.ts";
import { done, failNextCommit, passwordAuth, request } from "../support/users.ts";

const stores = ["deviceKeys", "oneTimeKeys", "usedOneTimeKeys", "fallbackKeys", "keySignatures"] as const;

/** Uploads all that a device can have, with one key claimed. */
async function equip({ keys }: TestKeys, who: Somebody): Promise<void> {
  await keys.upload(who, {
    device_keys: who.device.deviceKeys,
    one_time_keys: await who.device.oneTimeKeys(3),
    fallback_keys: await who.device.fallbackKey(),
  });
  await keys.claim(request(), { [who.userId]: { [who.deviceId]: "signed_curve25519" } });
}

async function start() {
  const t = await testKeys();
  const [alice, bob] = [await t.join("alice"), await t.join("bob")];
  const laptop = await t.logIn("alice", "LAPTOP");
  for (const each of [alice, laptop, bob]) await equip(t, each);
  const alices = await crossSigner(alice.userId);
  await t.keys.uploadCrossSigning(alice, alices.body);
  await t.keys.uploadSignatures(alice, {
    [alice.userId]: { LAPTOP: await alices.signDevice(laptop.device.deviceKeys) },
  });
  const left = async () => {
    const found = await Promise.all(stores.map((store) => t.users.storage.getAllKeys(store)));
    return new Set(found.flat().map(([userId, second]) => `${userId} ${second}`));
  };
  const toldAfter = async (position: number) =>
    (await logAfter(t.users.storage, position))
      .filter(({ topic }) => topic === "deviceList")
      .map(({ detail }) => detail)
      .sort();
  return { ...t, alice, laptop, bob, alices, left, toldAfter };
}

describe("of a device that goes, nothing stays", () => {
  test("when it is deleted or logged out, and all are told", async () => {
    const { users, keys, alice, laptop, bob, left, toldAfter } = await start();
    const before = users.storage.position;
    done(await users.deleteDevices(request(), alice, ["LAPTOP"], passwordAuth("alice")));
    expect(await left()).toEqual(new Set([`${alice.userId} PHONE`, `${bob.userId} PHONE`]));
    expect(await toldAfter(before)).toEqual(["device/LAPTOP"]);
    expect((await keys.query(bob, { [alice.userId]: [] })).device_keys[alice.userId]).not.toHaveProperty(
      "LAPTOP",
    );
    expect(await keys.claim(request(), { [alice.userId]: { LAPTOP: "signed_curve25519" } })).toMatchObject({
      one_time_keys: {},
    });
    expect((await keys.counts(alice.userId, "LAPTOP")).oneTimeKeys).toEqual({ signed_curve25519: 0 });
    await users.logout(alice);
    expect(await left()).toEqual(new Set([`${bob.userId} PHONE`]));
    expect(await toldAfter(before)).toEqual(["device/LAPTOP", "device/PHONE"]);
    expect(laptop.deviceId).toBe("LAPTOP");
  });

  test("when all are logged out, or the others with a new password; the cross-signing keys stay", async () => {
    const { users, keys, alice, bob, left } = await start();
    const body = { new_password: "another", auth: passwordAuth("alice") };
    done(await users.changePassword(request(), alice, body));
    expect(await left()).toEqual(new Set([`${alice.userId} PHONE`, `${bob.userId} PHONE`]));
    await users.logoutAll(alice);
    expect(await left()).toEqual(new Set([`${bob.userId} PHONE`]));
    expect((await keys.query(bob, { [alice.userId]: [] })).master_keys).toHaveProperty([alice.userId]);
  });

  test("or all of it, with the device, when the disk does not take it", async () => {
    const { users, alice, left } = await start();
    const before = await left();
    failNextCommit(users.storage);
    await expect(users.logout(alice)).rejects.toThrow();
    expect(await left()).toEqual(before);
    expect(await users.devices(alice)).toHaveLength(2);
  });

  test("and of a device without keys nobody is told, nor of one with the same name", async () => {
    const { users, logIn, toldAfter } = await start();
    const before = users.storage.position;
    const tablet = await logIn("alice", "TABLET");
    await users.renameDevice(tablet, "TABLET", "Tablet");
    await users.logout(tablet);
    expect(await toldAfter(before)).toEqual([]);
    await users.renameDevice(tablet, "LAPTOP", "Laptop");
    await users.renameDevice(tablet, "LAPTOP", "Laptop");
    expect(await toldAfter(before)).toEqual(["device/LAPTOP"]);
  });
});

test("of an account that is deactivated nothing stays, nor what it has signed of others, nor they of it", async () => {
  const { users, keys, alice, bob, alices, left, toldAfter } = await start();
  const bobs = await crossSigner(bob.userId);
  await keys.uploadCrossSigning(bob, bobs.body);
  const signed = { [bob.userId]: { [bobs.master.publicKey]: await alices.signUser(bobs.body.master_key) } };
  expect(await keys.uploadSignatures(alice, signed)).toEqual({ failures: {} });
  const back = { [alice.userId]: { [alices.master.publicKey]: await bobs.signUser(alices.body.master_key) } };
  expect(await keys.uploadSignatures(bob, back)).toEqual({ failures: {} });
  const before = users.storage.position;
  done(await users.deactivate(request(), alice, { auth: passwordAuth("alice") }));
  expect(await left()).toEqual(new Set([`${bob.userId} PHONE`]));
  expect(
    await users.storage.getAllKeys("crossSigningKeys", IDBKeyRange.bound([alice.userId], [alice.userId, []])),
  ).toEqual([]);
  expect(await toldAfter(before)).toEqual(["device/LAPTOP", "device/PHONE", "signing"]);
  expect((await keys.query(bob, { [alice.userId]: [] })).device_keys).toEqual({});
  const own = (await users.storage.getAll("deviceListChanges")).filter(({ v }) => v !== 0);
  expect(own.map(({ v }) => v)).toEqual([await users.storage.names.find(bob.userId)]);
});
