import { MatrixError, notFound } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import { requireDevice } from "../node/require-device.ts";
import type { Storage } from "../storage/api.ts";
import type { DeviceRow } from "../storage/schema.ts";
import type { Belongings, ClientDevice, UiaChallenge } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { checkDeviceDisplayName, checkDeviceId } from "./device-names.ts";
import { devicesOf, removalOfDevices } from "./device-rows.ts";
import type { Uia } from "./uia.ts";

export type DevicesOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  uia: Uia;
  credentials: Credentials;
  belongings: Required<Belongings>;
  /** Milliseconds since 1970. */
  now: () => number;
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

  /** @returns whether an application service has made a device */
  async rename(
    { userId, appService }: Requester,
    deviceId: string,
    displayName: string | undefined,
  ): Promise<boolean> {
    if (displayName !== undefined) checkDeviceDisplayName(displayName);
    const { storage, locks, belongings } = this.#with;
    return locks.run(userId, async () => {
      const present = await storage.get("devices", [userId, deviceId]);
      const isNew = present === undefined && appService !== undefined;
      if (isNew) checkDeviceId(deviceId);
      const device = isNew
        ? newDevice(userId, deviceId, this.#with.now())
        : await this.#row(userId, deviceId);
      const name = displayName ?? device.displayName;
      if (!isNew && name === device.displayName) return false;
      const tell = await belongings.renaming(userId, deviceId);
      await storage.commit((write) => {
        write.put("devices", { ...device, displayName: name });
        tell(write);
      });
      return isNew;
    });
  }

  delete(
    request: RequestId,
    { userId, appService }: Requester,
    deviceIds: readonly string[],
    auth: JsonObject | undefined,
  ): Promise<JsonObject | UiaChallenge> {
    const { storage, answers, locks, uia, credentials } = this.#with;
    return answers.once<JsonObject | UiaChallenge>(request, async (record) => {
      const purpose = JSON.stringify(["delete_devices", userId, [...deviceIds].sort()]);
      const passed =
        appService === undefined
          ? await uia.attempt(purpose, [credentials.passwordStage(userId)], auth)
          : { end: () => undefined };
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
  async logout(requester: Requester): Promise<void> {
    const { userId, deviceId } = requireDevice(requester);
    return this.#logout(userId, (other) => other === deviceId);
  }

  logoutAll({ userId }: Requester): Promise<void> {
    return this.#logout(userId, () => true);
  }

  /** See UsersForDevices. */
  whileDevice<T>(
    { userId, deviceId }: { userId: string; deviceId: string },
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

const newDevice = (userId: string, deviceId: string, now: number): DeviceRow => ({
  userId,
  deviceId,
  displayName: "",
  lastSeenTs: now,
  lastSeenIp: "",
});

/** A device as its user sees it. */
export function described({
  deviceId,
  displayName,
  lastSeenTs,
  lastSeenIp,
  dehydrated,
}: DeviceRow): ClientDevice {
  return {
    device_id: deviceId,
    last_seen_ts: lastSeenTs,
    ...(displayName !== "" && { display_name: displayName }),
    ...(lastSeenIp !== "" && { last_seen_ip: lastSeenIp }),
    ...(dehydrated !== undefined && { dehydrated: true }),
  };
}
