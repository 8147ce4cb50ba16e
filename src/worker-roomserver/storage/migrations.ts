/*
 * The steps from an empty database to today's schema. A step's place in the list is the version that it leads to;
 * steps are only ever appended, and use raw IndexedDB alone, so that later code cannot change what they did.
 */

type Migration = (db: IDBDatabase, transaction: IDBTransaction) => void;

const first: Migration = (db) => {
  const plain = [
    "meta",
    "log",
    "names",
    "nameTexts",
    "rooms",
    "snapshots",
    "published",
    "transactions",
    "answers",
    "readers",
    "accounts",
    "registrationTokens",
    "uia",
    "profiles",
    "filters",
    "presence",
    "pushActions",
  ];
  for (const name of plain) db.createObjectStore(name);
  const events = db.createObjectStore("events", { keyPath: "n" });
  events.createIndex("id", "id", { unique: true });
  events.createIndex("timeline", ["r", "o"]);
  db.createObjectStore("memberships", { keyPath: ["u", "r"] }).createIndex("room", ["r", "m", "u"]);
  db.createObjectStore("aliases").createIndex("room", "roomId");
  db.createObjectStore("devices", { keyPath: ["userId", "deviceId"] });
  db.createObjectStore("tokens").createIndex("device", ["userId", "deviceId"]);
  const accountData = db.createObjectStore("accountData", { keyPath: ["u", "r", "type"] });
  accountData.createIndex("position", ["u", "p"]);
  const receipts = db.createObjectStore("receipts", { keyPath: ["r", "type", "u", "thread"] });
  receipts.createIndex("position", ["r", "p"]);
  receipts.createIndex("user", ["u", "r"]);
};

/**
 * A journal before all other stores; several entries to a row of the log. What is in the journal has been
 * acknowledged, so that no store may refuse it: event ids are not held to be unique by an index any more.
 */
const second: Migration = (db, transaction) => {
  db.createObjectStore("journal");
  const events = transaction.objectStore("events");
  events.deleteIndex("id");
  events.createIndex("id", "id");
  const rows = transaction.objectStore("log").openCursor();
  rows.onsuccess = () => {
    const cursor = rows.result;
    if (cursor === null) return;
    cursor.update([cursor.value]);
    cursor.continue();
  };
};

export const migrations: readonly Migration[] = [first, second];

/** Brings a database from `oldVersion` to the newest version, within its versionchange transaction. */
export function migrate(db: IDBDatabase, transaction: IDBTransaction, oldVersion: number): void {
  for (const step of migrations.slice(oldVersion)) step(db, transaction);
}
