import type { Method } from "matrix-js-sdk/lib/matrix.js";
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
    // The SDK waits for up to ten seconds, by chance, before it uploads a key.
    await browser.page.evaluate(() => {
      Math.random = () => 0;
    });
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
    phone.evaluate(async ({ client }) => {
      const prefix = "/_matrix/client/v3";
      type Version = { version: string; count: number; etag: string };
      return client.http.authedRequest<Version>("GET" as Method, "/room_keys/version", {}, undefined, {
        prefix,
      });
    });
  /** Waits until a device has put the keys of so many sessions into the backup in use. */
  const backedUp = async (device: DeviceHandle, count: number) => {
    const { version } = await backup();
    await device.evaluate(
      async (device, { version, count }) => {
        const put = () => {
          const done = device.line.sent.filter(
            ({ method, path, status }) =>
              method === "PUT" && path.endsWith(`/room_keys/keys?version=${version}`) && status === 200,
          );
          type Body = { rooms: Record<string, { sessions: object }> };
          const rooms = done.flatMap(({ body }) => Object.values((JSON.parse(body) as Body).rooms));
          return new Set(rooms.flatMap(({ sessions }) => Object.keys(sessions)));
        };
        await device.until(
          `${count} sessions in the backup`,
          () => put().size === count,
          () => [...put()],
        );
      },
      { version, count },
    );
    return backup();
  };

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
    expect(await backedUp(phone, said.length)).toMatchObject({ count: said.length });
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
      // Private keys are compared with the public ones, which a device that is new may not have fetched yet.
      const published = await device.crypto.userHasCrossSigningKeys(device.userId, true);
      if (!published) throw new Error(`${device.name} has no public keys of its owner`);
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
    const after = await backedUp(third, 1);
    expect(after).toMatchObject({ version: before.version, count: said.length });
    expect(after.etag).not.toBe(before.etag);
  });

  test("a new backup takes the old one's place, and the laptop restores from that", async () => {
    const before = await backup();
    await third.evaluate(async ({ crypto }) => crypto.resetKeyBackup());
    const later = await backedUp(third, said.length);
    expect(later.count).toBe(said.length);
    laterBackup = later.version;
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
    // The SDK deletes what is older before it makes a new one.
    await expect(backup()).rejects.toThrow("M_NOT_FOUND");
  });
});
