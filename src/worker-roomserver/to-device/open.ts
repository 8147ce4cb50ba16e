import type { ToDevice, ToDeviceForReaders, ToDeviceForUsers } from "./api.ts";
import { StoredToDevice, type ToDeviceOptions } from "./to-device.ts";

export function openToDevice(options: ToDeviceOptions): ToDevice & ToDeviceForReaders & ToDeviceForUsers {
  return new StoredToDevice(options);
}
