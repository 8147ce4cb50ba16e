import { deleteDB, type IDBPDatabase, openDB, unwrap } from "idb";
import { migrate, migrations } from "./migrations.ts";
import type { HearthSchema } from "./schema.ts";

/** What becomes of an open database that has to give way. */
export type OpenCallbacks = {
  /** A newer version of the page waits to migrate; the connection has been closed. */
  onSuperseded: () => void;
  /** An older version of the page still holds the database: it has been asked to let go. */
  onBlocked: () => void;
  /** The browser has closed the database under us (storage cleared, disk gone). */
  onLost: () => void;
};

/** Opens the database `name` at today's version, migrating it if it is older. */
export async function openDatabase(
  name: string,
  callbacks: OpenCallbacks,
): Promise<IDBPDatabase<HearthSchema>> {
  const db = await openDB<HearthSchema>(name, migrations.length, {
    upgrade: (upgraded, oldVersion, _newVersion, transaction) =>
      migrate(unwrap(upgraded), unwrap(transaction), oldVersion),
    blocked: callbacks.onBlocked,
    blocking: () => {
      db.close();
      callbacks.onSuperseded();
    },
    terminated: callbacks.onLost,
  });
  return db;
}

export const deleteDatabase = (name: string): Promise<void> => deleteDB(name);
