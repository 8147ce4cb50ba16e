import { later, lazily, once } from "../node/later.ts";
import type { Belongings } from "../users/api.ts";
import type { KeyBackup } from "./api.ts";
import type { KeyBackupOptions } from "./key-backup.ts";
import { keyBackupBelongings } from "./removal.ts";

const code = later(() => import("./key-backup.ts"));

/** Puts the component together when it is first called. `belongings` is what goes with accounts. */
export function openKeyBackup(options: KeyBackupOptions): { keyBackup: KeyBackup; belongings: Belongings } {
  const whole = once(async () => new (await code()).StoredKeyBackup(options));
  return { keyBackup: lazily<KeyBackup>(whole), belongings: keyBackupBelongings };
}
