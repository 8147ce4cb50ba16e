import type { KeyBackup, KeyBackupForUsers } from "./api.ts";
import { type KeyBackupOptions, StoredKeyBackup } from "./key-backup.ts";

export function openKeyBackup(options: KeyBackupOptions): KeyBackup & KeyBackupForUsers {
  return new StoredKeyBackup(options);
}
