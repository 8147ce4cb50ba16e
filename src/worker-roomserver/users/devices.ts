import { MatrixError, notFound } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { DeviceRow } from "../storage/schema.ts";
import type { ClientDevice, DeviceBelongings, DeviceRemoved, UiaChallenge } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { checkDeviceDisplayName } from "./device-names.ts";
import { devicesOf, removalOfDevices } from "./device-rows.ts";
import type { Uia } from "./uia.ts";

export type DevicesOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  uia: Uia;
  credentials: Credentials;
  deviceRemoved: DeviceRemoved;
  belongings: DeviceBelongings;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#device-management */
export class Devices {
  readonly #with: DevicesOptions;

  constructor(options: DevicesOptions) {
    this.#with = options;
  }

  async list({ userId }: Requester): Promise<ClientDevice[]> {
    return (await devicesOf(this.#with.storage, userId)).map(described);
  }

  async get({ userId }: Requester, deviceId: string): Promise<ClientDevice> {
    return described(await this.#row(userId, deviceId));
  }

  async rename({ userId }: Requester, deviceId: string, displayName: string | undefined): Promise<void> {
    if (displayName !== undefined) checkDeviceDisplayName(displayName);
    const { storage, locks, belongings } = this.#with;
    await locks.run(userId, async () => {
      const device = await this.#row(userId, deviceId);
      if (displayName === undefined || displayName === device.displayName) return;
      const tell = await belongings.renaming(userId, deviceId);
      await storage.commit((write) => {
        write.put("devices", { ...device, displayName });
        tell(write);
      });
    });
  }

  delete(
    request: RequestId,
    { userId }: Requester,
    deviceIds: readonly string[],
    auth: JsonObject | undefined,
  ): Promise<JsonObject | UiaChallenge> {
    const { storage, answers, locks, uia, credentials } = this.#with;
    return answers.once<JsonObject | UiaChallenge>(request, async (record) => {
      const purpose = JSON.stringify(["delete_devices", userId, [...deviceIds].sort()]);
      const passed = await uia.attempt(purpose, [credentials.passwordStage(userId)], auth);
      if ("uia" in passed) return passed;
      const gone = new Set(deviceIds);
      return locks.run(userId, async () => {
        const remove = await removalOfDevices(this.#with, userId, (deviceId) => gone.has(deviceId));
        return storage.commit((write) => {
          remove(write);
          passed.end(write);
          return record(write, {});
        });
      });
    });
  }

  /** Ends a device's login; the device goes with it. */
  logout({ userId, deviceId }: Requester): Promise<void> {
    return this.#logout(userId, (other) => other === deviceId);
  }

  logoutAll({ userId }: Requester): Promise<void> {
    return this.#logout(userId, () => true);
  }

  /** See UsersForDevices. */
  whileDevice<T>(
    { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
    task: () => Promise<T>,
  ): Promise<T> {
    const { storage, locks } = this.#with;
    return locks.run(userId, async () => {
      const device = await storage.get("devices", [userId, deviceId]);
      if (device === undefined)
        throw new MatrixError("M_UNKNOWN_TOKEN", 401, "This device has been removed.");
      return task();
    });
  }

  #logout(userId: string, which: (deviceId: string) => boolean): Promise<void> {
    const { storage, locks } = this.#with;
    return locks.run(userId, async () => storage.commit(await removalOfDevices(this.#with, userId, which)));
  }

  async #row(userId: string, deviceId: string): Promise<DeviceRow> {
    const device = await this.#with.storage.get("devices", [userId, deviceId]);
    if (device === undefined) throw notFound("You have no such device.");
    return device;
  }
}

function described({ deviceId, displayName, lastSeenTs, lastSeenIp, dehydrated }: DeviceRow): ClientDevice {
  return {
    device_id: deviceId,
    last_seen_ts: lastSeenTs,
    ...(displayName !== "" && { display_name: displayName }),
    ...(lastSeenIp !== "" && { last_seen_ip: lastSeenIp }),
    ...(dehydrated !== undefined && { dehydrated: true }),
  };
}
