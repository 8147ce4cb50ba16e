import { describe, expect, test } from "vitest";
import { cryptoDevice } from "../support/crypto-device.ts";
import { claimOne, type Somebody, type TestKeys, testKeys } from "../support/keys.ts";
import { done, error, passwordAuth, request } from "../support/users.ts";

async function dehydrated({ userId }: Somebody, deviceId: string) {
  const device = await cryptoDevice(userId, deviceId);
  return {
    device_id: deviceId,
    device_data: { algorithm: "org.matrix.msc3814.v2", device_pickle: "secret" },
    initial_device_display_name: "Dehydrated device",
    device_keys: device.deviceKeys,
    one_time_keys: await device.oneTimeKeys(2),
    fallback_keys: await device.fallbackKey(),
  };
}

async function start(): Promise<TestKeys & { alice: Somebody }> {
  const t = await testKeys();
  return { ...t, alice: await t.join("alice") };
}

describe("a dehydrated device", () => {
  test("is kept with its keys, and is among the devices of its user for all to see", async () => {
    const t = await start();
    const body = await dehydrated(t.alice, "DRY");
    const { device_id, device_data } = body;
    expect(await t.keys.putDehydratedDevice(t.alice, body)).toEqual({ device_id });
    const { keys, users } = await t.reopen();
    expect(await keys.dehydratedDevice(t.alice)).toEqual({ device_id, device_data });
    expect(await users.devices(t.alice)).toMatchObject([
      { device_id, dehydrated: true, display_name: "Dehydrated device" },
      { device_id: "PHONE" },
    ]);
    expect((await users.devices(t.alice))[1]).not.toHaveProperty("dehydrated");
    const found = (await keys.query(t.alice, { [t.alice.userId]: [] })).device_keys[t.alice.userId];
    expect(found).toEqual({
      DRY: { ...body.device_keys, unsigned: { device_display_name: "Dehydrated device" } },
    });
    expect(await claimOne(keys, { ...t.alice, deviceId: "DRY" })).toEqual(
      Object.entries(body.one_time_keys)[0],
    );
  });

  test("takes the place of the one before, of whose keys nothing stays", async () => {
    const { keys, users, alice } = await start();
    await keys.putDehydratedDevice(alice, await dehydrated(alice, "DRY"));
    for (const deviceId of ["DRY", "NEXT"]) {
      const body = await dehydrated(alice, deviceId);
      await keys.putDehydratedDevice(alice, body);
      expect((await keys.dehydratedDevice(alice)).device_id).toBe(deviceId);
      expect((await keys.query(alice, { [alice.userId]: [] })).device_keys[alice.userId]).toEqual({
        [deviceId]: { ...body.device_keys, unsigned: { device_display_name: "Dehydrated device" } },
      });
      expect((await users.storage.getAllKeys("oneTimeKeys")).map(([, id]) => id)).toEqual([
        deviceId,
        deviceId,
      ]);
      expect((await users.devices(alice)).map(({ device_id }) => device_id).sort()).toEqual(
        [deviceId, "PHONE"].sort(),
      );
    }
  });

  test("goes when it is deleted, by either way", async () => {
    const { keys, users, alice } = await start();
    await expect(keys.dehydratedDevice(alice)).rejects.toEqual(error("M_NOT_FOUND", 404));
    await expect(keys.deleteDehydratedDevice(alice)).rejects.toEqual(error("M_NOT_FOUND", 404));
    const remove = [
      () => keys.deleteDehydratedDevice(alice),
      async () => done(await users.deleteDevices(request(), alice, ["DRY"], passwordAuth("alice"))),
    ];
    for (const each of remove) {
      await keys.putDehydratedDevice(alice, await dehydrated(alice, "DRY"));
      await each();
      await expect(keys.dehydratedDevice(alice)).rejects.toEqual(error("M_NOT_FOUND", 404));
      expect(await users.storage.getAllKeys("deviceKeys")).toEqual([]);
      expect(await users.devices(alice)).toHaveLength(1);
    }
  });

  test("has messages that wait for it, page by page, for its user alone", async () => {
    const { keys, join, send, alice } = await start();
    await keys.putDehydratedDevice(alice, await dehydrated(alice, "DRY"));
    expect(await keys.dehydratedDeviceEvents(alice, "DRY", undefined, 100)).toEqual({ events: [] });
    const events = Array.from({ length: 5 }, (_, i) => ({ type: "m.room.encrypted", content: { i } }));
    for (const event of events) await send(alice.userId, "DRY", event);
    await send(alice.userId, "PHONE", { type: "other" });
    const first = await keys.dehydratedDeviceEvents(alice, "DRY", undefined, 3);
    expect(first).toEqual({ events: events.slice(0, 3), next_batch: expect.any(String) });
    const second = await keys.dehydratedDeviceEvents(alice, "DRY", first.next_batch, 3);
    expect(second).toEqual({ events: events.slice(3), next_batch: expect.any(String) });
    expect(await keys.dehydratedDeviceEvents(alice, "DRY", second.next_batch, 3)).toEqual({ events: [] });
    expect(await keys.dehydratedDeviceEvents(alice, "DRY", undefined, 0)).toMatchObject({
      events: [events[0]],
    });
    const bob = await join("bob");
    for (const [who, deviceId] of [
      [alice, "PHONE"],
      [alice, "OTHER"],
      [bob, "DRY"],
    ] as const) {
      await expect(keys.dehydratedDeviceEvents(who, deviceId, undefined, 3)).rejects.toEqual(
        error("M_FORBIDDEN", 403),
      );
    }
    await expect(keys.dehydratedDeviceEvents(alice, "DRY", "d1", 3)).rejects.toEqual(
      error("M_INVALID_PARAM", 400),
    );
  });

  test("has an id of its own, and has signed its keys; else all is left as it was", async () => {
    const { keys, alice } = await start();
    const body = await dehydrated(alice, "DRY");
    await keys.putDehydratedDevice(alice, body);
    const own = { ...(await dehydrated(alice, "PHONE")) };
    await expect(keys.putDehydratedDevice(alice, own)).rejects.toEqual(error("M_INVALID_PARAM", 400));
    const foreign = { ...body, device_id: "OTHER" };
    await expect(keys.putDehydratedDevice(alice, foreign)).rejects.toEqual(error("M_BAD_JSON", 400));
    const unsigned = { ...body, device_keys: { ...body.device_keys, algorithms: [] } };
    await expect(keys.putDehydratedDevice(alice, unsigned)).rejects.toEqual(
      error("M_INVALID_SIGNATURE", 400),
    );
    const named = { ...body, initial_device_display_name: "x".repeat(257) };
    await expect(keys.putDehydratedDevice(alice, named)).rejects.toEqual(error("M_INVALID_PARAM", 400));
    expect((await keys.dehydratedDevice(alice)).device_id).toBe("DRY");
  });
});
