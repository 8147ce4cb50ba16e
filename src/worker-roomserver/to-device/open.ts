import type { ToDevice, ToDeviceForReaders, ToDeviceForServers, ToDeviceForUsers } from "./api.ts";
import { StoredToDevice, type ToDeviceOptions } from "./to-device.ts";

export function openToDevice(
  options: ToDeviceOptions,
): ToDevice & ToDeviceForReaders & ToDeviceForServers & ToDeviceForUsers {
  return new StoredToDevice(options);
}
