import { later, lazily, once } from "../node/later.ts";
import type { KeyBackup, KeyBackupForUsers } from "./api.ts";
import type { KeyBackupOptions } from "./key-backup.ts";
import { removeBackups } from "./removal.ts";

const code = later(() => import("./key-backup.ts"));

/** Puts the component together when it is first called. */
export function openKeyBackup(options: KeyBackupOptions): KeyBackup & KeyBackupForUsers {
  const whole = once(async () => new (await code()).StoredKeyBackup(options));
  return lazily<KeyBackup, KeyBackupForUsers>(whole, { accountRemoved: removeBackups });
}
