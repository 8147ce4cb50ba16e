import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";
import { type CrossSigner, crossSigner, missigned } from "../support/crypto-device.ts";
import { type Somebody, type TestKeys, testKeys } from "../support/keys.ts";
import { logAfter } from "../support/storage.ts";
import { error } from "../support/users.ts";

type World = TestKeys & { alice: Somebody; bob: Somebody; alices: CrossSigner; bobs: CrossSigner };

async function start(): Promise<World> {
  const t = await testKeys();
  const [alice, bob] = [await t.join("alice"), await t.join("bob")];
  const [alices, bobs] = [await crossSigner(alice.userId), await crossSigner(bob.userId)];
  for (const [who, signer] of [
    [alice, alices],
    [bob, bobs],
  ] as const) {
    await t.keys.upload(who, { device_keys: who.device.deviceKeys });
    await t.keys.uploadCrossSigning(who, signer.body);
  }
  return { ...t, alice, bob, alices, bobs };
}

/** A device signs its user's master key. */
const byDevice = ({ userId, deviceId, device }: Somebody, key: JsonObject) =>
  signJson(key, userId, `ed25519:${deviceId}`, device.pair.sign);

describe("signatures", () => {
  test("of one's device, one's master key and another's are added, and told to whom they concern", async () => {
    const { keys, users, alice, bob, alices, bobs } = await start();
    const after = users.storage.position;
    const signed = {
      [alice.userId]: {
        PHONE: await alices.signDevice(alice.device.deviceKeys),
        [alices.master.publicKey]: await byDevice(alice, alices.body.master_key),
      },
      [bob.userId]: { [bobs.master.publicKey]: await alices.signUser(bobs.body.master_key) },
    };
    expect(await keys.uploadSignatures(alice, signed)).toEqual({ failures: {} });
    const seen = await keys.query(alice, { [alice.userId]: [], [bob.userId]: [] });
    expect(seen.device_keys[alice.userId]!.PHONE).toEqual({ ...signed[alice.userId]!.PHONE, unsigned: {} });
    expect(seen.master_keys[alice.userId]).toEqual(signed[alice.userId]![alices.master.publicKey]);
    expect(seen.master_keys[bob.userId]).toEqual(signed[bob.userId]![bobs.master.publicKey]);
    const told = (await logAfter(users.storage, after)).map(({ detail }) => detail);
    expect(told.sort()).toEqual(["device/PHONE", "own", "signing"]);
    expect(await keys.changedLists(alice.userId, after)).toEqual(new Set([alice.userId, bob.userId]));
    expect(await keys.changedLists(bob.userId, after)).toEqual(new Set([alice.userId]));
    // Said again, they are nothing new.
    const { position } = users.storage;
    expect(await keys.uploadSignatures(alice, signed)).toEqual({ failures: {} });
    expect(users.storage.position).toBe(position);
  });

  test("that are good are kept beside those that are not", async () => {
    const { keys, alice, alices } = await start();
    const device = await alices.signDevice(alice.device.deviceKeys);
    const master = missigned(await byDevice(alice, alices.body.master_key), alice.userId);
    const { failures } = await keys.uploadSignatures(alice, {
      [alice.userId]: { PHONE: device, [alices.master.publicKey]: master, OTHER: device },
    });
    expect(failures).toEqual({
      [alice.userId]: {
        [alices.master.publicKey]: { errcode: "M_INVALID_SIGNATURE", error: expect.any(String) },
        OTHER: { errcode: "M_NOT_FOUND", error: expect.any(String) },
      },
    });
    const seen = await keys.query(alice, { [alice.userId]: [] });
    expect(seen.device_keys[alice.userId]!.PHONE).toEqual({ ...device, unsigned: {} });
    expect(seen.master_keys[alice.userId]).toEqual(alices.body.master_key);
  });

  type Try = (world: World) => Promise<[about: Somebody, keyId: string, key: JsonObject]>;
  test.each<[what: string, attempt: Try, errcode: string]>([
    [
      "one's device by one's user-signing key",
      async ({ alice, alices }) => [alice, "PHONE", await alices.signUser(alice.device.deviceKeys)],
      "M_INVALID_SIGNATURE",
    ],
    [
      "another's master key by one's self-signing key",
      async ({ bob, alices, bobs }) => [
        bob,
        bobs.master.publicKey,
        await alices.signDevice(bobs.body.master_key),
      ],
      "M_INVALID_SIGNATURE",
    ],
    [
      "another's master key by nobody",
      async ({ bob, bobs }) => [bob, bobs.master.publicKey, bobs.body.master_key],
      "M_INVALID_SIGNATURE",
    ],
    [
      "another's master key in another's name",
      async ({ bob, bobs }) => [bob, bobs.master.publicKey, await bobs.signUser(bobs.body.master_key)],
      "M_INVALID_SIGNATURE",
    ],
    [
      "another's device",
      async ({ bob, alices }) => [bob, "PHONE", await alices.signUser(bob.device.deviceKeys)],
      "M_NOT_FOUND",
    ],
    [
      "another's self-signing key",
      async ({ bob, alices, bobs }) => [
        bob,
        bobs.selfSigning.publicKey,
        await alices.signUser(bobs.body.self_signing_key),
      ],
      "M_NOT_FOUND",
    ],
    [
      "what is not what was uploaded",
      async ({ alice, alices }) => [
        alice,
        "PHONE",
        await alices.signDevice({ ...alice.device.deviceKeys, algorithms: [] }),
      ],
      "M_INVALID_PARAM",
    ],
    [
      "one's master key by a device that is not there",
      async ({ alice, alices, bob }) => [
        alice,
        alices.master.publicKey,
        await byDevice({ ...alice, deviceId: "OTHER", device: bob.device }, alices.body.master_key),
      ],
      "M_INVALID_SIGNATURE",
    ],
  ])("are refused: %s", async (_, attempt, errcode) => {
    const world = await start();
    const [about, keyId, key] = await attempt(world);
    const { failures } = await world.keys.uploadSignatures(world.alice, { [about.userId]: { [keyId]: key } });
    expect(failures).toEqual({ [about.userId]: { [keyId]: expect.objectContaining({ errcode }) } });
    expect(await world.users.storage.getAll("keySignatures")).toEqual([]);
  });

  test("need keys to be made with, and user ids to be about", async () => {
    const t = await testKeys();
    const alice = await t.join("alice");
    await t.keys.upload(alice, { device_keys: alice.device.deviceKeys });
    const signed = await (await crossSigner(alice.userId)).signDevice(alice.device.deviceKeys);
    const { failures } = await t.keys.uploadSignatures(alice, { [alice.userId]: { PHONE: signed } });
    expect(failures[alice.userId]!.PHONE).toMatchObject({ errcode: "M_NOT_FOUND" });
    await expect(t.keys.uploadSignatures(alice, { alice: {} })).rejects.toEqual(
      error("M_INVALID_PARAM", 400),
    );
  });

  test("of a device go when its keys become others", async () => {
    const { keys, users, alice, alices } = await start();
    await keys.uploadSignatures(alice, {
      [alice.userId]: { PHONE: await alices.signDevice(alice.device.deviceKeys) },
    });
    expect(await users.storage.getAll("keySignatures")).toHaveLength(1);
    await keys.upload(alice, { device_keys: alice.device.deviceKeys });
    expect(await users.storage.getAll("keySignatures")).toHaveLength(1);
    const { signatures: _, ...rest } = alice.device.deviceKeys;
    await keys.upload(alice, { device_keys: await byDevice(alice, { ...rest, algorithms: [] }) });
    expect(await users.storage.getAll("keySignatures")).toEqual([]);
  });
});
