import { invalidParam } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { Belongings, KnownDevice } from "./api.ts";
import { checkDeviceDisplayName, checkDeviceId } from "./device-names.ts";
import { devicesOf, removalOfDevices } from "./device-rows.ts";

export type DehydratedDevicesOptions = {
  storage: Storage;
  belongings: Required<Belongings>;
  now: () => number;
};

/**
 * Devices that nobody is logged in with, one for each user at most: messages for them wait until the user makes a real
 * one of it. What it is made from stands in the device's row, so that it goes with the device.
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export class DehydratedDevices {
  readonly #with: DehydratedDevicesOptions;

  constructor(options: DehydratedDevicesOptions) {
    this.#with = options;
  }

  /** @see UsersForKeys.devicesOf */
  async devicesOf(userId: string): Promise<KnownDevice[]> {
    const rows = await devicesOf(this.#with.storage, userId);
    return rows.map(({ deviceId, displayName, dehydrated }) => ({
      deviceId,
      displayName,
      dehydrated: dehydrated === undefined ? undefined : (JSON.parse(dehydrated) as JsonObject),
    }));
  }

  /** @see UsersForKeys.replacingDehydrated */
  async replacing(
    userId: string,
    device: { deviceId: string; displayName: string; data: JsonObject } | undefined,
  ): Promise<(write: Write) => void> {
    const { storage, now } = this.#with;
    if (device !== undefined) {
      checkDeviceId(device.deviceId);
      checkDeviceDisplayName(device.displayName);
    }
    const rows = await devicesOf(storage, userId);
    const old = rows.find(({ dehydrated }) => dehydrated !== undefined);
    const isTaken = rows.some(({ deviceId }) => deviceId === device?.deviceId && deviceId !== old?.deviceId);
    if (isTaken) throw invalidParam("A device of this ID is logged in.");
    const remove = await removalOfDevices(this.#with, userId, (deviceId) => deviceId === old?.deviceId);
    return (write) => {
      remove(write);
      if (device === undefined) return;
      const { deviceId, displayName, data } = device;
      write.put("devices", {
        userId,
        deviceId,
        displayName,
        lastSeenTs: now(),
        lastSeenIp: "",
        dehydrated: JSON.stringify(data),
      });
    };
  }
}
