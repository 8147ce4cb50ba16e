import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { migrate } from "./migrations.ts";

/** One database file of a relay, that several components keep their tables in. */
export type SqliteStore = {
  readonly db: DatabaseSync;
  /**
   * Runs `work` in a transaction and resolves when that is on the disk. Those that come together share one, as the
   * flush is what costs; when one of them throws, that one alone is undone and rejected.
   * @param work - synchronous, and without effects elsewhere: it may be undone and run once more
   */
  write<T>(work: (db: DatabaseSync) => T): Promise<T>;
  /** Writes what waits, then closes. Nothing may be asked afterwards. */
  close(): void;
};

/** `run` throws what the work throws; `settle` tells of what it has given, `fail` of what it has thrown. */
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

  const inTransaction = (work: () => void): void => {
    try {
      db.exec("BEGIN IMMEDIATE");
      work();
      db.exec("COMMIT");
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };

  /** Once more, each so that it can be undone alone: that costs, and hardly ever does one throw. */
  const eachApart = (group: readonly Waiting[]): void => {
    const done: (() => void)[] = [];
    try {
      inTransaction(() => {
        for (const { run, settle, fail } of group) {
          db.exec("SAVEPOINT one");
          try {
            run();
            done.push(settle);
          } catch (error) {
            db.exec("ROLLBACK TO one");
            done.push(() => fail(error));
          }
          db.exec("RELEASE one");
        }
      });
    } catch (error) {
      for (const { fail } of group) fail(error);
      return;
    }
    for (const tell of done) tell();
  };

  const flush = (): void => {
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    try {
      inTransaction(() => {
        for (const { run } of group) run();
      });
    } catch {
      // Whose error it is, and whether there is one at all, comes out there.
      eachApart(group);
      return;
    }
    for (const { settle } of group) settle();
  };

  return {
    db,
    write: <T>(work: (db: DatabaseSync) => T) =>
      new Promise<T>((resolve, reject) => {
        let outcome: T | undefined;
        const run = () => {
          outcome = work(db);
        };
        waiting.push({ run, settle: () => resolve(outcome as T), fail: reject });
        // While a flush blocks, further requests arrive and find themselves in the next group.
        if (waiting.length === 1) setImmediate(flush);
      }),
    close() {
      flush();
      db.close();
    },
  };
}
