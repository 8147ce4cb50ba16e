import { expect, onTestFinished, test } from "vitest";
import { migrations } from "../../../src/worker-roomserver/storage/migrations.ts";
import { deleteDatabase, openDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { testStorage } from "../support/storage.ts";

const callbacks = { onSuperseded: () => undefined, onBlocked: () => undefined, onLost: () => undefined };

test("an empty database becomes one of today's version, with every store and index", async () => {
  const name = `test-${crypto.randomUUID()}`;
  const db = await openDatabase(name, callbacks);
  onTestFinished(async () => {
    db.close();
    await deleteDatabase(name);
  });
  expect(db.version).toBe(migrations.length);
  const found = [...db.objectStoreNames].map((store) => {
    const { indexNames } = db.transaction(store).store;
    return [store, ...indexNames].join(" ");
  });
  expect(found).toEqual(
    [
      "accountData position",
      "accounts",
      "aliases room",
      "answers",
      "appServices",
      "appServiceSending",
      "appServiceRooms",
      "authEdges",
      "awaited",
      "blobs",
      "crossSigningKeys",
      "depositedKeys",
      "destinations",
      "deviceKeys",
      "deviceListChanges position",
      "deviceListUpdates",
      "devices",
      "erasures",
      "events id time timeline",
      "fallbackKeys",
      "filters",
      "gaps",
      "journal",
      "keySignatures signer",
      "log",
      "mail",
      "mailTaken transaction",
      "media blob newest pending until user",
      "mediaUsage",
      "memberships room",
      "meta",
      "names",
      "notifications",
      "nameTexts",
      "oauthClients",
      "oauthSecrets expiry userCode",
      "outgoing",
      "pages",
      "oneTimeKeys",
      "presence",
      "profiles",
      "published",
      "purges",
      "pushActions",
      "pushProgress",
      "pushers pushkey",
      "readers",
      "receipts position user",
      "registrationTokens",
      "relays",
      "relaysOfServers",
      "relations",
      "remoteDeviceLists stale",
      "remoteDevices",
      "reports by",
      "rooms",
      "serverKeys",
      "settings",
      "snapshots",
      "threads latest",
      "thumbnails blob",
      "tokens device",
      "transactions",
      "uia",
      "toDevice",
      "toDeviceOutbox",
      "toDeviceReceived at",
      "keyBackups",
      "keyBackupVersions",
      "keyBackupSessions",
      "urlPreviews until",
      "usedOneTimeKeys",
      "waitingEvents",
      "searchBlocks",
    ].sort(),
  );
});

test("a leader gives way to a newer version of the database, and says so", async () => {
  const storage = await testStorage();
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(storage.name, migrations.length + 1);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
  expect(storage.stopped).toEqual(["superseded"]);
  await expect(storage.commit((write) => write.append({ topic: "typing" }))).rejects.toThrow();
});

test("a database of a newer version is not opened by an older page", async () => {
  const name = `test-${crypto.randomUUID()}`;
  await new Promise<void>((resolve) => {
    const request = indexedDB.open(name, migrations.length + 1);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
  onTestFinished(() => deleteDatabase(name));
  await expect(openDatabase(name, callbacks)).rejects.toMatchObject({ name: "VersionError" });
});

test("version 2: the entries of the log that version 1 kept, a row each, are all still there", async () => {
  const name = `test-${crypto.randomUUID()}`;
  const rows = [
    [0, 1, 0, 1, ""],
    [4, 0, 2, 0, "m.direct"],
  ];
  const pdu = { type: "m.room.create", sender: "@a:h", origin_server_ts: 5, auth_events: [], content: {} };
  const event = { n: 1, json: JSON.stringify(pdu), id: "$one", r: 1, o: -1, b: 0, c: 0 };
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onerror = () => reject(request.error);
    request.onupgradeneeded = () => {
      migrations[0]!(request.result, request.transaction!);
      for (const [i, row] of rows.entries()) request.transaction!.objectStore("log").put(row, i + 1);
      request.transaction!.objectStore("events").put(event);
    };
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
  const storage = await testStorage(name);
  expect(storage.position).toBe(2);
  expect(await storage.entriesAfter(0, 10)).toEqual([
    { topic: "room", room: 1, user: 0, event: 1, detail: "", position: 1 },
    { topic: "accountData", room: 0, user: 2, event: 0, detail: "m.direct", position: 2 },
  ]);
  expect(await storage.fromIndex("events", "id", IDBKeyRange.only("$one"))).toEqual([{ ...event, ts: 5 }]);
});

test("version 3: rooms of version 2 get their auth edges, relations, threads and times", async () => {
  const name = `test-${crypto.randomUUID()}`;
  const pdus = [
    { type: "m.room.create", state_key: "", auth_events: [] },
    { type: "m.room.member", state_key: "@a:h", auth_events: ["$1"] },
    { type: "m.room.message", auth_events: ["$1", "$2"], relates: { rel_type: "m.thread", event_id: "$0" } },
    { type: "m.room.topic", state_key: "", auth_events: [["$1", {}], "$2", "$unknown"] },
    { type: "m.room.message", auth_events: ["$1", "$2"], relates: { rel_type: "m.thread", event_id: "$0" } },
    { type: "m.room.message", auth_events: [], relates: { rel_type: 5, event_id: "$0" } },
  ].map(({ relates, ...pdu }, i) => ({
    ...pdu,
    sender: "@a:h",
    origin_server_ts: 1000 + i,
    content: relates === undefined ? {} : { "m.relates_to": relates },
  }));
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open(name, 2);
    request.onerror = () => reject(request.error);
    request.onupgradeneeded = () => {
      for (const step of migrations.slice(0, 2)) step(request.result, request.transaction!);
      const events = request.transaction!.objectStore("events");
      for (const [i, pdu] of pdus.entries()) {
        const n = i + 1;
        events.put({ n, json: JSON.stringify(pdu), id: `$${n}`, r: 7, o: -10 * n, b: 0, c: 0 });
      }
    };
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
  const storage = await testStorage(name);
  const room = IDBKeyRange.bound([7], [7, []]);
  expect(await storage.getAll("authEdges", room)).toEqual([Uint32Array.from([1, 0, 2, 1, 1, 4, 2, 1, 2])]);
  expect(await storage.getAllKeys("authEdges", room)).toEqual([[7, 4]]);
  expect(await storage.getAll("relations", room)).toEqual([
    [5, "m.thread", "m.room.message", "@a:h"],
    [3, "m.thread", "m.room.message", "@a:h"],
  ]);
  expect(await storage.getAll("threads", room)).toEqual([{ r: 7, root: "$0", o: -50 }]);
  const between = IDBKeyRange.bound([7, 1001], [7, 1003]);
  expect((await storage.fromIndex("events", "time", between)).map(({ n }) => n)).toEqual([2, 3, 4]);
});
