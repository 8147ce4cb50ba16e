import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { migrate } from "./migrations.ts";

/** One database file of a relay, that several components keep their tables in. */
export type SqliteStore = {
  readonly db: DatabaseSync;
  /**
   * Runs `work` in a transaction and resolves when that is on the disk. Those that come together share one, as the
   * flush is what costs; when one of them throws, that one alone is undone and rejected.
   * @param work - synchronous, and without effects elsewhere
   */
  write<T>(work: (db: DatabaseSync) => T): Promise<T>;
  /** Writes what waits, then closes. Nothing may be asked afterwards. */
  close(): void;
};

type Waiting = { run: () => void; settle: () => void; fail: (error: unknown) => void };

/**
 * Opens the file, made when it is not there.
 * @param path - `:memory:` for a database that is gone when closed
 */
export function openSqlite(path: string): SqliteStore {
  const db = new DatabaseSync(path);
  // FULL: in WAL mode, NORMAL would flush at checkpoints only, and a power cut would take what was acknowledged.
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  migrate(db);
  let waiting: Waiting[] = [];

  const flush = (): void => {
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { run } of group) run();
      db.exec("COMMIT");
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (db.isTransaction) db.exec("ROLLBACK");
      for (const { fail } of group) fail(error);
      return;
    }
    for (const { settle } of group) settle();
  };

  return {
    db,
    write: <T>(work: (db: DatabaseSync) => T) =>
      new Promise<T>((resolve, reject) => {
        let outcome: (() => void) | undefined;
        const run = () => {
          db.exec("SAVEPOINT one");
          try {
            const value = work(db);
            outcome = () => resolve(value);
          } catch (error) {
            db.exec("ROLLBACK TO one");
            outcome = () => reject(error);
          }
          db.exec("RELEASE one");
        };
        waiting.push({ run, settle: () => outcome?.(), fail: reject });
        // While a flush blocks, further requests arrive and find themselves in the next group.
        if (waiting.length === 1) setImmediate(flush);
      }),
    close() {
      flush();
      db.close();
    },
  };
}
