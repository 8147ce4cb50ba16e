import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("somebody who keeps a backup of their keys", () => {
  let browser: DevicesPage;
  let phone: DeviceHandle;
  let laptop: DeviceHandle;
  let third: DeviceHandle;
  let room: string;
  let recoveryKey: string;
  let laterBackup: string;
  const said = ["the first", "the second", "the third"];
  const ids: string[] = [];

  beforeAll(async () => {
    browser = await openDevicesPage();
    phone = await browser.signUp("alice", "alice's phone");
    room = await phone.evaluate((device) => device.createRoom({ encrypted: true }));
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  /** Whether a device can read each of the messages. */
  const readable = (device: DeviceHandle) =>
    device.evaluate(
      async (device, [room, ids]) => {
        const events = await Promise.all(ids.map((id) => device.event(room, id)));
        return events.map((event) =>
          event.isDecryptionFailure() ? event.decryptionFailureReason : event.getContent().body,
        );
      },
      [room, ids] as const,
    );
  /** What the homeserver says of the backup that is in use. */
  const backup = () =>
    phone.evaluate(async ({ crypto }) => {
      const info = await crypto.getKeyBackupInfo();
      return { version: info?.version, count: info?.count, etag: info?.etag };
    });
  /** Waits until a device has put all its keys into the backup, and the homeserver counts so many. */
  const backedUp = (device: DeviceHandle, count: number) =>
    device.evaluate(async (device, count) => {
      const info = async () => (await device.crypto.getKeyBackupInfo()) ?? undefined;
      await device.until(`${count} keys in the backup`, async () => (await info())?.count === count, info);
    }, count);

  test("their first device makes a recovery key, which opens all the others", async () => {
    recoveryKey = await phone.evaluate(async ({ crypto }) => {
      await crypto.bootstrapCrossSigning({
        authUploadDeviceSigningKeys: (makeRequest) => makeRequest(null),
      });
      const key = await crypto.createRecoveryKeyFromPassphrase();
      await crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => key,
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
      });
      return key.encodedPrivateKey!;
    });
    expect(await phone.evaluate(({ crypto }) => crypto.isSecretStorageReady())).toBe(true);
    expect(await backup()).toMatchObject({ count: 0 });
  });

  test("the keys of what is said go into the backup, each once", async () => {
    for (const body of said) {
      ids.push(
        await phone.evaluate(
          async (device, [room, body]) => {
            await device.crypto.forceDiscardSession(room); // a key for each message
            return device.say(room, body);
          },
          [room, body] as const,
        ),
      );
    }
    await backedUp(phone, said.length);
  });

  test("another device cannot read what was said before it came", async () => {
    laptop = await browser.logIn("alice", "alice's laptop");
    third = await browser.logIn("alice", "alice's third device");
    for (const device of [laptop, third]) {
      const reasons = await readable(device);
      expect(reasons.every((reason) => String(reason).startsWith("HISTORICAL_MESSAGE"))).toBe(true);
    }
  });

  test("a wrong recovery key opens nothing", async () => {
    const outcome = await third.evaluate(async (device) => {
      device.secretStorageKey = new Uint8Array(32).fill(7);
      return device.crypto.loadSessionBackupPrivateKeyFromSecretStorage().then(
        () => "opened",
        () => "refused",
      );
    });
    expect(outcome).toBe("refused");
    expect(await readable(third)).not.toContain(said[0]);
  });

  /** Types the recovery key into a device. @returns how many keys the backup gave it */
  const restore = (device: DeviceHandle, recoveryKey: string) =>
    device.evaluate(async (device, recoveryKey) => {
      device.secretStorageKey = window.devices.decodeRecoveryKey(recoveryKey);
      await device.crypto.bootstrapCrossSigning({});
      await device.crypto.checkKeyBackupAndEnable();
      await device.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
      return device.crypto.restoreKeyBackup();
    }, recoveryKey);

  test("with the recovery key the third device reads it all, and is verified", async () => {
    expect(await restore(third, recoveryKey)).toEqual({ total: said.length, imported: said.length });
    for (const body of said) {
      await third.evaluate((device, [room, body]) => device.message(room, body).then(() => undefined), [
        room,
        body,
      ] as const);
    }
    expect(await readable(third)).toEqual(said);
    await phone.evaluate(async (phone, third) => {
      await phone.until("trust in the third device", async () => {
        const status = await phone.crypto.getDeviceVerificationStatus(third.userId, third.deviceId);
        return status?.crossSigningVerified;
      });
    }, third);
  });

  test("the third device adds to the same backup", async () => {
    const before = await backup();
    said.push("from the third");
    ids.push(await third.evaluate((device, room) => device.say(room, "from the third"), room));
    await backedUp(third, said.length);
    const after = await backup();
    expect(after.version).toBe(before.version);
    expect(after.etag).not.toBe(before.etag);
  });

  test("a new backup takes the old one's place, and the laptop restores from that", async () => {
    const before = await backup();
    await third.evaluate(async ({ crypto }) => crypto.resetKeyBackup());
    await backedUp(third, said.length);
    laterBackup = (await backup()).version!;
    expect(laterBackup).not.toBe(before.version);
    expect(await restore(laptop, recoveryKey)).toEqual({ total: said.length, imported: said.length });
    for (const body of said) {
      await laptop.evaluate((device, [room, body]) => device.message(room, body).then(() => undefined), [
        room,
        body,
      ] as const);
    }
    expect(await readable(laptop)).toEqual(said);
  });

  test("a backup that is deleted is gone", async () => {
    await laptop.evaluate(({ crypto }, version) => crypto.deleteKeyBackupVersion(version), laterBackup);
    expect(await phone.evaluate(({ crypto }) => crypto.getKeyBackupInfo())).toBe(null);
  });
});
