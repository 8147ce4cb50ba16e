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
   -- In the order of their rowids, as what is remembered: what is old comes first.
   CREATE TABLE entries (
     mailbox INTEGER NOT NULL,
     id INTEGER NOT NULL,
     verified INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     fingerprint TEXT NOT NULL,
     -- origin, transaction id, method, URI and Authorization headers, as JSON
     head TEXT NOT NULL,
     body BLOB NOT NULL
   );
   CREATE UNIQUE INDEX entries_by_id ON entries (mailbox, id);
   -- What was put, also after it was taken, so that it is not taken again.
   CREATE TABLE remembered (
     mailbox INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     fingerprint TEXT NOT NULL
   );
   CREATE UNIQUE INDEX remembered_by_fingerprint ON remembered (mailbox, fingerprint);

   -- Counts are kept here, where they cannot be forgotten, and without a statement of their own for each.
   CREATE TRIGGER entry_put AFTER INSERT ON entries BEGIN
     INSERT INTO remembered VALUES (new.mailbox, new.received_at, new.fingerprint);
     UPDATE mailboxes SET
       last_id = new.id,
       entries = entries + 1,
       bytes = bytes + new.bytes,
       unverified_entries = unverified_entries + (1 - new.verified),
       unverified_bytes = unverified_bytes + (1 - new.verified) * new.bytes,
       remembered = remembered + 1
     WHERE number = new.mailbox;
   END;
   CREATE TRIGGER entry_dropped AFTER DELETE ON entries BEGIN
     UPDATE mailboxes SET
       entries = entries - 1,
       bytes = bytes - old.bytes,
       unverified_entries = unverified_entries - (1 - old.verified),
       unverified_bytes = unverified_bytes - (1 - old.verified) * old.bytes
     WHERE number = old.mailbox;
   END;
   CREATE TRIGGER entry_forgotten AFTER DELETE ON remembered BEGIN
     UPDATE mailboxes SET remembered = remembered - 1 WHERE number = old.mailbox;
   END;`,
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
