import type { DatabaseSync } from "node:sqlite";

/** The place in the list is the version that a step leads from. Steps are only ever appended. */
const steps: readonly string[] = [
  `CREATE TABLE documents (
     kind TEXT NOT NULL,
     key BLOB NOT NULL,
     json TEXT NOT NULL,
     PRIMARY KEY (kind, key)
   ) WITHOUT ROWID;

   -- Rows stay when a mailbox is empty: ids are never given twice.
   CREATE TABLE mailboxes (
     number INTEGER PRIMARY KEY,
     owner TEXT NOT NULL UNIQUE,
     last_id INTEGER NOT NULL DEFAULT 0,
     entries INTEGER NOT NULL DEFAULT 0,
     bytes INTEGER NOT NULL DEFAULT 0,
     unverified_entries INTEGER NOT NULL DEFAULT 0,
     unverified_bytes INTEGER NOT NULL DEFAULT 0,
     remembered INTEGER NOT NULL DEFAULT 0
   );
   CREATE TABLE entries (
     mailbox INTEGER NOT NULL,
     id INTEGER NOT NULL,
     verified INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     origin TEXT NOT NULL,
     txn_id TEXT NOT NULL,
     method TEXT NOT NULL,
     uri TEXT NOT NULL,
     authorization TEXT NOT NULL,
     body BLOB NOT NULL
   );
   CREATE UNIQUE INDEX entries_by_id ON entries (mailbox, id);
   CREATE INDEX entries_by_age ON entries (received_at);
   -- What was put, also after it was taken, so that it is not taken again.
   CREATE TABLE remembered (
     mailbox INTEGER NOT NULL,
     fingerprint BLOB NOT NULL,
     received_at INTEGER NOT NULL,
     id INTEGER NOT NULL,
     PRIMARY KEY (mailbox, fingerprint)
   ) WITHOUT ROWID;
   CREATE INDEX remembered_by_age ON remembered (received_at);
   CREATE INDEX remembered_by_id ON remembered (mailbox, id);`,
];

/** @throws {Error} for a file that a later version of the relay has written */
export function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (version > steps.length) {
    throw new Error(
      `The relay's database is of a later version (${version}; this one knows ${steps.length}).`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    // The version changes with the tables, or not at all.
    db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
