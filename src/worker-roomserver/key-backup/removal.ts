import type { Write } from "../storage/api.ts";

/** @see KeyBackupForUsers.accountRemoved */
export function removeBackups(write: Write, userId: string): void {
  for (const store of ["keyBackups", "keyBackupSessions"] as const) {
    write.delete(store, IDBKeyRange.bound([userId], [userId, []]));
  }
}
