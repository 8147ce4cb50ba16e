import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("somebody who leaves a dehydrated device behind", () => {
  let browser: DevicesPage;
  let phone: DeviceHandle;
  let laptop: DeviceHandle;
  let bob: DeviceHandle;
  const at = { room: "", dehydrated: "", missed: "", alice: "" };
  let secret: string;

  beforeAll(async () => {
    browser = await openDevicesPage();
    phone = await browser.signUp("alice", "alice's phone");
    bob = await browser.signUp("bob", "bob's phone");
    at.alice = await phone.evaluate(({ userId }) => userId);
    at.room = await bob.evaluate(
      (device, { alice }) => device.createRoom({ encrypted: true, invite: [alice] }),
      at,
    );
    await phone.evaluate((device, { room }) => device.acceptInvite(room), at);
    await bob.evaluate((device, { room, alice }) => device.seesMember(room, alice), at);
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  /** The dehydrated device of alice that somebody knows of, once it is another than before. */
  const dehydrated = (device: DeviceHandle) =>
    device.evaluate(async (device, { alice, dehydrated: before }) => {
      const known = async () => {
        const devices = (await device.crypto.getUserDeviceInfo([alice], true)).get(alice);
        return [...(devices?.values() ?? [])]
          .filter((each) => each.dehydrated)
          .map(({ deviceId }) => deviceId);
      };
      const isNew = async () => {
        const [id, ...more] = await known();
        return more.length === 0 && id !== before ? id : undefined;
      };
      return device.until("a dehydrated device", isNew, known);
    }, at);

  test("makes one, which is signed and which others know of", async () => {
    secret = await phone.evaluate(async ({ crypto }) => {
      await crypto.bootstrapCrossSigning({
        authUploadDeviceSigningKeys: (makeRequest) => makeRequest(null),
      });
      const key = await crypto.createRecoveryKeyFromPassphrase();
      await crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => key,
        setupNewSecretStorage: true,
      });
      if (!(await crypto.isDehydrationSupported())) throw new Error("dehydrated devices are not supported");
      await crypto.startDehydration();
      return key.encodedPrivateKey!;
    });
    const id = await dehydrated(phone);
    expect(await dehydrated(bob)).toBe(id);
    at.dehydrated = id;
  });

  test("is written to while they have no other device", async () => {
    await phone.evaluate(async ({ client }) => {
      await client.logout(true);
    });
    await bob.evaluate(
      (device, { alice, dehydrated }) =>
        device.until("that the phone has gone", async () => {
          const devices = (await device.crypto.getUserDeviceInfo([alice], true)).get(alice);
          return devices?.size === 1 && devices.has(dehydrated);
        }),
      at,
    );
    at.missed = await bob.evaluate((device, { room }) => device.say(room, "Where are you?"), at);
  });

  test("reads it on a new device, to which the keys come by way of that", async () => {
    laptop = await browser.logIn("alice", "alice's laptop");
    const before = await laptop.evaluate(
      async (device, { room, missed }) => (await device.event(room, missed)).isDecryptionFailure(),
      at,
    );
    expect(before).toBe(true);
    await laptop.evaluate(async (device, secret) => {
      device.secretStorageKey = window.devices.decodeRecoveryKey(secret);
      // Secret halves are compared with what is known of the public ones.
      await device.until("the public keys", () => device.crypto.userHasCrossSigningKeys(device.userId, true));
      await device.crypto.bootstrapCrossSigning({});
      await device.crypto.startDehydration({ rehydrate: true });
    }, secret);
    await laptop.evaluate(
      (device, { room }) => device.message(room, "Where are you?").then(() => undefined),
      at,
    );
  });

  test("has then another one, and the old one is gone", async () => {
    expect(await dehydrated(laptop)).not.toBe(at.dehydrated);
    expect(await dehydrated(bob)).not.toBe(at.dehydrated);
  });
});
