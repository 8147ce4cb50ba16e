import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("a second device, and a code that it scans", () => {
  let browser: DevicesPage;
  let phone: DeviceHandle;
  let laptop: DeviceHandle;

  beforeAll(async () => {
    browser = await openDevicesPage();
    phone = await browser.signUp("alice", "alice's phone");
    await phone.evaluate(({ crypto }) =>
      crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (makeRequest) => makeRequest(null) }),
    );
    laptop = await browser.logIn("alice", "alice's laptop");
    await phone.evaluate((device, { userId, deviceId }) => device.knowsDevice(userId, deviceId), {
      userId: await laptop.evaluate(({ userId }) => userId),
      deviceId: await laptop.evaluate(({ deviceId }) => deviceId),
    });
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  const scan = (isWhole: boolean) =>
    browser.page.evaluate(({ laptop, phone, isWhole }) => window.devices.scanCode(laptop, phone, isWhole), {
      laptop,
      phone,
      isWhole,
    });
  /** Whether a device takes another one for one of its user's. */
  const trusts = (device: DeviceHandle, other: DeviceHandle) =>
    device.evaluate(async (device, other) => {
      const status = await device.crypto.getDeviceVerificationStatus(other.userId, other.deviceId);
      return status?.crossSigningVerified;
    }, other);

  test("stays a stranger when it has not seen what the code says", async () => {
    expect(await scan(false)).not.toBe("");
    expect(await trusts(phone, laptop)).toBe(false);
    expect(await trusts(laptop, phone)).toBe(false);
  });

  test("is verified by it, and verifies the other; and is given the secrets", async () => {
    expect(await scan(true)).toBe("");
    for (const [device, other] of [
      [phone, laptop],
      [laptop, phone],
    ] as const) {
      await device.evaluate(
        (device, other) =>
          device.until("the other's signature", async () => {
            const status = await device.crypto.getDeviceVerificationStatus(other.userId, other.deviceId);
            return status?.crossSigningVerified;
          }),
        other,
      );
    }
    await laptop.evaluate((device) =>
      device.until("the private keys for cross-signing", () => device.crypto.isCrossSigningReady()),
    );
  });
});
