import { describe, expect, test } from "vitest";
import type { LogEntry } from "../../../src/worker-roomserver/log/entry.ts";
import type { LogQuery } from "../../../src/worker-roomserver/monitor/api.ts";
import { NodeMonitor } from "../../../src/worker-roomserver/monitor/monitor.ts";
import { type TestStorage, testStorage } from "../support/storage.ts";

async function monitored() {
  const storage = await testStorage();
  const monitor = new NodeMonitor({
    storage,
    room: { presentEvents: async (nids) => nids.map(() => undefined) },
    sync: { waiting: async () => 3 },
    now: () => 7,
    startedTs: 5,
    schemaVersion: 4,
  });
  const log = (query: Partial<LogQuery> = {}, call = "call") =>
    monitor.log({ after: 0, limit: 100, timeout: 0, ...query }, call);
  return { storage, monitor, log };
}

const append = (storage: TestStorage, ...topics: LogEntry["topic"][]) =>
  storage.commit((write) => {
    for (const topic of topics) write.append({ topic, detail: topic });
  });

describe("the log in pages", () => {
  test("has every entry once, and names what it is about", async () => {
    const { storage, log } = await monitored();
    const room = await storage.names.intern("!room");
    const user = await storage.names.intern("@alice:x");
    await storage.commit((write) => write.append({ topic: "receipt", room, user, detail: "m.read" }));
    await append(storage, "typing", "presence");
    const first = await log({ limit: 2 });
    expect(first).toEqual({
      entries: [
        { position: 1, topic: "receipt", room_id: "!room", user_id: "@alice:x", detail: "m.read" },
        { position: 2, topic: "typing", detail: "typing" },
      ],
      next: 2,
      trimmed: false,
    });
    expect(await log({ after: first.next })).toMatchObject({ entries: [{ position: 3 }], next: 3 });
    expect(await log({ after: 999 })).toEqual({ entries: [], next: 3, trimmed: false });
  });

  test("of one topic goes past the others", async () => {
    const { storage, log } = await monitored();
    await append(storage, "room", "typing", "typing", "room", "typing");
    expect(await log({ topic: "room", limit: 1 })).toMatchObject({ entries: [{ position: 1 }], next: 1 });
    expect(await log({ topic: "room", after: 1 })).toMatchObject({ entries: [{ position: 4 }], next: 5 });
  });

  test("says where some is missing", async () => {
    const { storage, log } = await monitored();
    // What goes to the stores together is one row, and goes from there together.
    for (let i = 0; i < 5; i++) {
      await append(storage, "room");
      await storage.flushed();
    }
    await storage.trimLog(3);
    const { logStart } = storage;
    expect(logStart).toBeGreaterThan(0);
    const page = await log();
    expect(page).toMatchObject({ trimmed: true, next: 5 });
    expect(page.entries[0]?.position).toBe(logStart + 1);
  });
});

describe("at the log's end", () => {
  const isWaiting = Symbol("still waiting");
  const now = (page: Promise<unknown>) => Promise.race([page, Promise.resolve(isWaiting)]);

  test("a call waits for what it asks for, and for nothing else", async () => {
    const { storage, log } = await monitored();
    await append(storage, "room");
    const page = log({ after: 1, topic: "room", timeout: 60_000 });
    await append(storage, "typing");
    expect(await now(page)).toBe(isWaiting);
    await append(storage, "room");
    expect(await page).toMatchObject({ entries: [{ position: 3, topic: "room" }], next: 3 });
  });

  test("it ends with its client, alone", async () => {
    const { log, monitor, storage } = await monitored();
    const gone = log({ timeout: 60_000 }, "gone");
    const other = log({ timeout: 60_000 }, "other");
    // Both have begun to wait once a whole turn through the storage is over.
    await append(storage, "room").then(() => undefined);
    expect(await gone).toMatchObject({ next: 1 });
    const again = log({ after: 1, timeout: 60_000 }, "again");
    await storage.settled();
    await expect
      .poll(async () => {
        await monitor.cancel("again");
        return now(again);
      })
      .toEqual({ entries: [], next: 1, trimmed: false });
    await monitor.cancel("unknown");
    expect(await other).toMatchObject({ next: 1 });
  });

  test("it ends with its time", async () => {
    const { log } = await monitored();
    expect(await log({ timeout: 1 })).toEqual({ entries: [], next: 0, trimmed: false });
  });
});

test("readers are told with how far they are behind", async () => {
  const { storage, monitor } = await monitored();
  await append(storage, "room", "room", "room");
  await storage.commit((write) => {
    write.put("readers", 1, "push");
    write.put("readers", 3, "search");
  });
  expect(await monitor.logStatus()).toEqual({
    end: 3,
    start: 0,
    readers: [
      { name: "push", offset: 1, lag: 2 },
      { name: "search", offset: 3, lag: 0 },
    ],
    waiting_syncs: 3,
  });
});

test("statistics count what is stored", async () => {
  const { storage, monitor } = await monitored();
  await storage.commit((write) => {
    write.put("rooms", { roomId: "!a", version: "11" }, 1);
    write.put("devices", { userId: "@a:x", deviceId: "D", displayName: "", lastSeenTs: 1, lastSeenIp: "" });
  });
  expect(await monitor.statistics()).toMatchObject({
    ...{ started_ts: 5, schema_version: 4, epoch: storage.epoch },
    ...{ rooms: 1, devices: 1, events: 0, media: 0 },
  });
});
