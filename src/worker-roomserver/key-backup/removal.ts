import type { Belongings } from "../users/api.ts";

/** All backups of a user go with their account. Apart from the rest, which most openings never load. */
export const keyBackupBelongings: Belongings = {
  removal:
    async ({ userId, isAccount }) =>
    (write) => {
      if (!isAccount) return;
      const ofUser = IDBKeyRange.bound([userId], [userId, []]);
      write.delete("keyBackups", ofUser);
      write.delete("keyBackupSessions", ofUser);
    },
};
