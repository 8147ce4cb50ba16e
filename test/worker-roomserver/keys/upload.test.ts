import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { cryptoDevice, missigned } from "../support/crypto-device.ts";
import { claimOne, testKeys } from "../support/keys.ts";
import { logAfter } from "../support/storage.ts";
import { error, failNextCommit } from "../support/users.ts";

const SIGNED = "signed_curve25519";

describe("an upload", () => {
  test("goes as clients do it: device keys with the first one-time keys, then the rest, then what was used", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    const first = {
      device_keys: alice.device.deviceKeys,
      one_time_keys: await alice.device.oneTimeKeys(50),
      fallback_keys: await alice.device.fallbackKey(),
    };
    expect(await keys.upload(alice, {})).toEqual({ one_time_key_counts: { [SIGNED]: 0 } });
    expect(await keys.upload(alice, first)).toEqual({ one_time_key_counts: { [SIGNED]: 50 } });
    expect(await keys.counts(alice.userId, alice.deviceId)).toEqual({
      oneTimeKeys: { [SIGNED]: 50 },
      unusedFallbacks: [SIGNED],
    });
    await claimOne(keys, alice);
    expect((await keys.counts(alice.userId, alice.deviceId)).oneTimeKeys).toEqual({ [SIGNED]: 49 });
    const more = { one_time_keys: await alice.device.oneTimeKeys(1) };
    expect(await keys.upload(alice, more)).toEqual({ one_time_key_counts: { [SIGNED]: 50 } });
  });

  test("of keys that are there changes nothing, whatever their signatures; of other keys under their ids is refused", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    const one_time_keys = await alice.device.oneTimeKeys(2);
    await keys.upload(alice, { one_time_keys });
    const [name, key] = Object.entries(one_time_keys)[0] as [string, JsonObject];
    const resigned = { [name]: { ...key, signatures: { [alice.userId]: {} } } };
    expect(await keys.upload(alice, { one_time_keys: resigned })).toEqual({
      one_time_key_counts: { [SIGNED]: 2 },
    });
    const fresh = await alice.device.oneTimeKeys(1);
    const mixed = { ...fresh, [name]: { ...key, key: "another" } };
    await expect(keys.upload(alice, { one_time_keys: mixed })).rejects.toEqual(error("M_INVALID_PARAM", 400));
    // All or nothing.
    expect((await keys.upload(alice, {})).one_time_key_counts).toEqual({ [SIGNED]: 2 });
    expect(await claimOne(keys, alice)).toEqual([name, key]);
  });

  test("that is made again when some of it has been claimed brings nothing back", async () => {
    const t = await testKeys();
    const alice = await t.join("alice");
    const body = { one_time_keys: await alice.device.oneTimeKeys(2) };
    await t.keys.upload(alice, body);
    const claimed = await claimOne(t.keys, alice);
    const { keys } = await t.reopen();
    expect(await keys.upload(alice, body)).toEqual({ one_time_key_counts: { [SIGNED]: 1 } });
    expect(await claimOne(keys, alice)).not.toEqual(claimed);
    expect(await claimOne(keys, alice)).toBeUndefined();
    // The id may be used again for another key: whoever has lost their memory counts from the beginning.
    const [name] = claimed!;
    const other = { [name]: { key: "another", signatures: {} } };
    expect(await keys.upload(alice, { one_time_keys: other })).toEqual({
      one_time_key_counts: { [SIGNED]: 1 },
    });
  });

  test("of other identity keys ends the one-time and fallback keys that were signed by the former", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    const before = {
      device_keys: alice.device.deviceKeys,
      one_time_keys: await alice.device.oneTimeKeys(3),
      fallback_keys: await alice.device.fallbackKey(),
    };
    await keys.upload(alice, before);
    const anew = await cryptoDevice(alice.userId, alice.deviceId);
    const one_time_keys = await anew.oneTimeKeys(1); // under an id of the former
    expect(await keys.upload(alice, { device_keys: anew.deviceKeys, one_time_keys })).toEqual({
      one_time_key_counts: { [SIGNED]: 1 },
    });
    expect(await claimOne(keys, alice)).toEqual(Object.entries(one_time_keys)[0]);
    expect(await claimOne(keys, alice)).toBeUndefined();
  });

  test("of the same device keys is told to nobody a second time", async () => {
    const { keys, users, join } = await testKeys();
    const alice = await join("alice");
    const told = async () =>
      (await logAfter(users.storage))
        .filter(({ topic }) => topic === "deviceList")
        .map(({ detail }) => detail);
    await keys.upload(alice, { device_keys: alice.device.deviceKeys });
    await keys.upload(alice, { device_keys: alice.device.deviceKeys });
    expect(await told()).toEqual(["device/PHONE"]);
    await keys.upload(alice, { one_time_keys: await alice.device.oneTimeKeys(1) });
    expect(await told()).toEqual(["device/PHONE"]);
  });

  test("that the disk does not take leaves nothing", async () => {
    const { keys, users, join } = await testKeys();
    const alice = await join("alice");
    const body = { device_keys: alice.device.deviceKeys, one_time_keys: await alice.device.oneTimeKeys(2) };
    failNextCommit(users.storage);
    await expect(keys.upload(alice, body)).rejects.toThrow();
    expect((await keys.counts(alice.userId, alice.deviceId)).oneTimeKeys).toEqual({ [SIGNED]: 0 });
    expect((await keys.query(alice, { [alice.userId]: [] })).device_keys).toEqual({ [alice.userId]: {} });
    expect(await keys.upload(alice, body)).toEqual({ one_time_key_counts: { [SIGNED]: 2 } });
  });

  test("of a device that has been logged out is refused, and leaves nothing", async () => {
    const { keys, users, join } = await testKeys();
    const alice = await join("alice");
    const body = { device_keys: alice.device.deviceKeys, one_time_keys: await alice.device.oneTimeKeys(1) };
    const [gone, refused] = await Promise.allSettled([users.logout(alice), keys.upload(alice, body)]);
    expect(gone.status).toBe("fulfilled");
    expect(refused).toMatchObject({
      status: "rejected",
      reason: { errcode: "M_UNKNOWN_TOKEN", status: 401 },
    });
    expect(await users.storage.getAll("deviceKeys")).toEqual([]);
    expect(await users.storage.getAll("oneTimeKeys")).toEqual([]);
  });
});

describe("of what is uploaded is refused", () => {
  type Change = (keys: JsonObject) => JsonObject;
  test.each<[what: string, change: Change, errcode: string]>([
    ["another user's keys", (keys) => ({ ...keys, user_id: "@bob:home.example" }), "M_BAD_JSON"],
    ["another device's keys", (keys) => ({ ...keys, device_id: "LAPTOP" }), "M_BAD_JSON"],
    ["algorithms that are no names", (keys) => ({ ...keys, algorithms: [1] }), "M_BAD_JSON"],
    ["keys that are no texts", (keys) => ({ ...keys, keys: { "ed25519:PHONE": 1 } }), "M_BAD_JSON"],
    ["the lack of a key to sign with", (keys) => ({ ...keys, keys: {} }), "M_BAD_JSON"],
    ["a key of the wrong length", (keys) => ({ ...keys, keys: { "ed25519:PHONE": "AAAA" } }), "M_BAD_JSON"],
    ["the lack of signatures", (keys) => ({ ...keys, signatures: {} }), "M_INVALID_SIGNATURE"],
    ["signatures of the wrong form", (keys) => ({ ...keys, signatures: [] }), "M_INVALID_SIGNATURE"],
    ["a wrong signature", (keys) => missigned(keys, "@alice:home.example"), "M_INVALID_SIGNATURE"],
    ["what was not signed", (keys) => ({ ...keys, algorithms: [] }), "M_INVALID_SIGNATURE"],
  ])("%s", async (_, change, errcode) => {
    const { keys, users, join } = await testKeys();
    const alice = await join("alice");
    const device_keys = change(alice.device.deviceKeys);
    await expect(keys.upload(alice, { device_keys })).rejects.toEqual(error(errcode, 400));
    expect(await users.storage.getAll("deviceKeys")).toEqual([]);
  });

  test.each<[what: string, body: object, errcode: string, status: number]>([
    ["a one-time key without an algorithm", { one_time_keys: { AAAA: "k" } }, "M_INVALID_PARAM", 400],
    ["a one-time key that is a number", { one_time_keys: { "a:A": 1 } }, "M_BAD_JSON", 400],
    ["a one-time key without signatures", { one_time_keys: { "a:A": { key: "k" } } }, "M_BAD_JSON", 400],
    ["a one-time key that is null", { one_time_keys: { "a:A": null } }, "M_BAD_JSON", 400],
    [
      "half of a surrogate pair",
      { one_time_keys: { "a:A": { key: "\ud800", signatures: {} } } },
      "M_BAD_JSON",
      400,
    ],
    [
      "two fallback keys of one algorithm",
      { fallback_keys: { "a:A": "k", "a:B": "l" } },
      "M_INVALID_PARAM",
      400,
    ],
    [
      "too many one-time keys",
      { one_time_keys: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a:${i}`, "k"])) },
      "M_TOO_LARGE",
      413,
    ],
  ])("%s", async (_, body, errcode, status) => {
    const { keys, join } = await testKeys();
    const alice = await join("alice");
    await expect(keys.upload(alice, body)).rejects.toEqual(error(errcode, status));
    expect((await keys.upload(alice, {})).one_time_key_counts).toEqual({ [SIGNED]: 0 });
  });

  test("no name that objects have of their own", async () => {
    const { keys, join } = await testKeys();
    const alice = await join("alice", "__proto__");
    const one_time_keys = JSON.parse('{"a:__proto__":"k"}') as JsonObject;
    await keys.upload(alice, { device_keys: alice.device.deviceKeys, one_time_keys });
    const found = await keys.query(alice, { [alice.userId]: [] });
    expect(Object.entries(found.device_keys[alice.userId]!)).toMatchObject([
      ["__proto__", { device_id: "__proto__" }],
    ]);
    expect(await claimOne(keys, alice, { algorithm: "a" })).toEqual(["a:__proto__", "k"]);
  });
});
