import { describe, expect, test } from "vitest";
import { crossSigner } from "../support/crypto-device.ts";
import { testKeys, userIdOf } from "../support/keys.ts";
import { error, request } from "../support/users.ts";

describe("a query", () => {
  test("finds the devices that have keys, all or those asked for, under their names of today", async () => {
    const { keys, users, join, logIn } = await testKeys();
    const [alice, bob] = [await join("alice"), await join("bob")];
    const laptop = await logIn("alice", "LAPTOP");
    await logIn("alice", "WITHOUT");
    for (const each of [alice, laptop]) await keys.upload(each, { device_keys: each.device.deviceKeys });
    await users.renameDevice(alice, "LAPTOP", "Alice's laptop");
    const phone = { ...alice.device.deviceKeys, unsigned: {} };
    const named = { ...laptop.device.deviceKeys, unsigned: { device_display_name: "Alice's laptop" } };
    const of = async (devices: string[]) =>
      (await keys.query(bob, { [alice.userId]: devices })).device_keys[alice.userId];
    expect(await of([])).toEqual({ LAPTOP: named, PHONE: phone });
    expect(await of(["PHONE", "OTHER"])).toEqual({ PHONE: phone });
  });

  test("tells who has no devices from who is not there, and names servers that cannot be asked", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    const wanted = {
      [alice.userId]: [],
      [userIdOf("nobody")]: [],
      "@a:far.example": [],
      "@b:far.example": [],
    };
    expect(await keys.query(alice, wanted)).toEqual({
      device_keys: { [alice.userId]: {} },
      master_keys: {},
      self_signing_keys: {},
      user_signing_keys: {},
      failures: { "far.example": expect.objectContaining({ errcode: "M_UNKNOWN" }) },
    });
    await expect(keys.query(alice, { alice: [] })).rejects.toEqual(error("M_INVALID_PARAM", 400));
  });

  test("of more users than are looked up together finds them all", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    const nobody = Array.from({ length: 250 }, (_, i) => [userIdOf(`nobody${i}`), []]);
    const { device_keys } = await keys.query(alice, { ...Object.fromEntries(nobody), [alice.userId]: [] });
    expect(device_keys).toEqual({ [alice.userId]: {} });
  });

  test("shows signatures of the owner to all, of others to themselves, and the user-signing key to its user", async () => {
    const { keys, join } = await testKeys();
    const [alice, bob, carol] = [await join("alice"), await join("bob"), await join("carol")];
    const [alices, bobs] = [await crossSigner(alice.userId), await crossSigner(bob.userId)];
    await keys.upload(alice, { device_keys: alice.device.deviceKeys });
    // What somebody else is said to have signed is not passed on.
    const master_key = { ...alices.body.master_key, signatures: { [carol.userId]: { "ed25519:x": "AAAA" } } };
    await keys.uploadCrossSigning(alice, { ...alices.body, master_key });
    await keys.uploadCrossSigning(bob, bobs.body);
    const signed = await alices.signDevice(alice.device.deviceKeys);
    await keys.uploadSignatures(alice, { [alice.userId]: { PHONE: signed } });
    const byBob = await bobs.signUser(alices.body.master_key);
    await keys.uploadSignatures(bob, { [alice.userId]: { [alices.master.publicKey]: byBob } });

    const seenBy = (viewer: typeof alice) => keys.query(viewer, { [alice.userId]: [] });
    const common = {
      device_keys: { [alice.userId]: { PHONE: { ...signed, unsigned: {} } } },
      self_signing_keys: { [alice.userId]: alices.body.self_signing_key },
      failures: {},
    };
    expect(await seenBy(alice)).toEqual({
      ...common,
      master_keys: { [alice.userId]: alices.body.master_key },
      user_signing_keys: { [alice.userId]: alices.body.user_signing_key },
    });
    expect(await seenBy(bob)).toEqual({
      ...common,
      master_keys: { [alice.userId]: byBob },
      user_signing_keys: {},
    });
    const asOthers = {
      ...common,
      master_keys: { [alice.userId]: alices.body.master_key },
      user_signing_keys: {},
    };
    expect(await seenBy(carol)).toEqual(asOthers);
    expect(await keys.queryLocal({ [alice.userId]: [] })).toEqual(asOthers);
    expect(await keys.userDevices(alice.userId)).toEqual({
      user_id: alice.userId,
      stream_id: expect.any(Number),
      devices: [{ device_id: "PHONE", keys: signed }],
      master_key: alices.body.master_key,
      self_signing_key: alices.body.self_signing_key,
    });
  });

  test("of other servers for a user's devices names the place of the last change", async () => {
    const { keys, users, join, told } = await testKeys();
    const alice = await join("alice");
    expect(await keys.userDevices(alice.userId)).toEqual({
      user_id: alice.userId,
      stream_id: 0,
      devices: [],
    });
    await keys.upload(alice, { device_keys: alice.device.deviceKeys });
    const first = (await keys.userDevices(alice.userId)).stream_id;
    await users.renameDevice(alice, "PHONE", "Phone");
    expect(JSON.stringify(await keys.userDevices(alice.userId))).not.toContain("Phone");
    expect(JSON.stringify(await keys.queryLocal({ [alice.userId]: [] }))).not.toContain("Phone");
    told.device_names_for_servers = true;
    const second = await keys.userDevices(alice.userId);
    expect(second.devices).toMatchObject([{ device_id: "PHONE", device_display_name: "Phone" }]);
    expect(second.stream_id).toBeGreaterThan(first);
    await keys.claim(request(), { [alice.userId]: { PHONE: "a" } });
    expect((await keys.userDevices(alice.userId)).stream_id).toBe(second.stream_id);
    await expect(keys.userDevices(userIdOf("nobody"))).rejects.toEqual(error("M_NOT_FOUND", 404));
  });
});
