import type { Storage } from "../storage/api.ts";
import type { SettingsForComponents, SettingsForOwner } from "./api.ts";
import { StoredSettings } from "./settings.ts";

/** Reads one row. */
export function openSettings(options: {
  storage: Storage;
}): Promise<SettingsForOwner & SettingsForComponents> {
  return StoredSettings.open(options.storage);
}
