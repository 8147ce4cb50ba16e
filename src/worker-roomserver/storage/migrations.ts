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

/** What the events of version 2 have that the third step reads. */
type StoredEvent = { n: number; r: number; o: number; json: string; id: string; ts?: number };
type StoredPdu = {
  state_key?: unknown;
  origin_server_ts: number;
  auth_events: (string | [string, unknown])[];
  content: { "m.relates_to"?: { rel_type?: unknown; event_id?: unknown } };
  type: string;
  sender: string;
};

/**
 * Rooms become graphs: who authorises whom, what waits for what, where history is missing. Relations and times are
 * looked up without reading events.
 */
const third: Migration = (db, transaction) => {
  for (const name of ["purges", "authEdges", "awaited", "relations", "gaps"]) db.createObjectStore(name);
  const threads = db.createObjectStore("threads", { keyPath: ["r", "root"] });
  threads.createIndex("latest", ["r", "o"]);
  const events = transaction.objectStore("events");
  events.createIndex("time", ["r", "ts"]);

  const nids = new Map<string, number>();
  const edges = new Map<number, number[]>();
  const relations = transaction.objectStore("relations");
  const rows = events.openCursor();
  rows.onsuccess = () => {
    const cursor = rows.result;
    if (cursor === null) {
      const store = transaction.objectStore("authEdges");
      // All of a room in one record, under the number of its last state event.
      for (const [room, [last, ...record]] of edges) store.put(Uint32Array.from(record), [room, last!]);
      return;
    }
    const row = cursor.value as StoredEvent;
    const pdu = JSON.parse(row.json) as StoredPdu;
    nids.set(row.id, row.n);
    cursor.update({ ...row, ts: pdu.origin_server_ts });
    if (pdu.state_key !== undefined) {
      const cited = pdu.auth_events
        .map((entry) => nids.get(typeof entry === "string" ? entry : entry[0]))
        .filter((nid) => nid !== undefined);
      const record = edges.get(row.r) ?? [0];
      record[0] = row.n;
      for (const number of [row.n, cited.length, ...cited]) record.push(number);
      edges.set(row.r, record);
    }
    const { rel_type: relType, event_id: target } = pdu.content["m.relates_to"] ?? {};
    if (typeof relType === "string" && typeof target === "string") {
      relations.put([row.n, relType, pdu.type, pdu.sender], [row.r, target, row.o]);
      if (relType === "m.thread")
        transaction.objectStore("threads").put({ r: row.r, root: target, o: row.o });
    }
    cursor.continue();
  };
};

/** What the client API needs besides rooms: keys, messages to devices, media, pushers, grants. */
const fourth: Migration = (db) => {
  for (const name of ["appServices", "appServiceSending", "appServiceRooms"]) db.createObjectStore(name);
  for (const name of ["toDevice", "toDeviceOutbox"]) db.createObjectStore(name);
  for (const name of ["keyBackups", "keyBackupVersions", "keyBackupSessions"]) db.createObjectStore(name);
  db.createObjectStore("oauthClients");
  const oauthSecrets = db.createObjectStore("oauthSecrets");
  oauthSecrets.createIndex("expiry", "expiresAt");
  oauthSecrets.createIndex("userCode", "userCode");
  db.createObjectStore("notifications");
  db.createObjectStore("pushProgress");
  const pushers = db.createObjectStore("pushers", { keyPath: ["userId", "appId", "pushkey"] });
  pushers.createIndex("pushkey", ["appId", "pushkey"]);
  for (const name of ["blobs", "mediaUsage", "pages"]) db.createObjectStore(name);
  const media = db.createObjectStore("media", { keyPath: ["origin", "id"] });
  media.createIndex("newest", ["order", "origin", "id"]);
  media.createIndex("user", ["user", "order", "origin", "id"]);
  media.createIndex("until", "until");
  media.createIndex("blob", "blob");
  media.createIndex("pending", "pending");
  db.createObjectStore("thumbnails").createIndex("blob", "blob");
  db.createObjectStore("urlPreviews").createIndex("until", "until");
  const keys = ["deviceKeys", "oneTimeKeys", "usedOneTimeKeys", "fallbackKeys", "crossSigningKeys"];
  for (const name of keys) db.createObjectStore(name);
  const signatures = db.createObjectStore("keySignatures", { keyPath: ["user", "signer", "key", "by"] });
  signatures.createIndex("signer", ["signer", "by"]);
  const changes = db.createObjectStore("deviceListChanges", { keyPath: ["v", "u"] });
  changes.createIndex("position", ["v", "p"]);
  for (const name of ["settings", "erasures"]) db.createObjectStore(name);
  db.createObjectStore("reports", { keyPath: "n" }).createIndex("by", "by");
  db.createObjectStore("searchBlocks");
};

/** Relays: what is kept of them, what they have brought, and the keys that they give out. */
const fifth: Migration = (db) => {
  for (const name of ["relays", "mail", "depositedKeys"]) db.createObjectStore(name);
  const taken = db.createObjectStore("mailTaken", { keyPath: ["at", "origin", "transactionId"] });
  taken.createIndex("transaction", ["origin", "transactionId"]);
};

/** Federation: what is known of other servers and their users, and what waits for them. */
const sixth: Migration = (db) => {
  // Other servers, and their keys.
  for (const name of ["destinations", "serverKeys"]) db.createObjectStore(name);
  // What has come from them and waits.
  db.createObjectStore("waitingEvents");
  // What waits for them.
  for (const name of ["outgoing", "relaysOfServers"]) db.createObjectStore(name);
  // Their users.
  db.createObjectStore("toDeviceReceived", { keyPath: ["origin", "messageId"] }).createIndex("at", "at");
  db.createObjectStore("deviceListUpdates");
  db.createObjectStore("remoteDeviceLists", { keyPath: "userId" }).createIndex("stale", "stale");
  db.createObjectStore("remoteDevices");
  // Rooms that are known by halves: invites, and joins that are not complete yet.
};

export const migrations: readonly Migration[] = [first, second, third, fourth, fifth, sixth];

/** Brings a database from `oldVersion` to the newest version, within its versionchange transaction. */
export function migrate(db: IDBDatabase, transaction: IDBTransaction, oldVersion: number): void {
  for (const step of migrations.slice(oldVersion)) step(db, transaction);
}
