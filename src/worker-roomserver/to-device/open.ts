import type {
  ToDevice,
  ToDeviceForReaders,
  ToDeviceForServers,
  ToDeviceForUsers,
  ToDeviceOutbox,
} from "./api.ts";
import { StoredToDevice, type ToDeviceOptions } from "./to-device.ts";

export function openToDevice(
  options: ToDeviceOptions,
): ToDevice & ToDeviceForReaders & ToDeviceForServers & ToDeviceForUsers & ToDeviceOutbox {
  return new StoredToDevice(options);
}
