import { openDB } from "idb";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { LeaderFenced } from "../../../src/worker-roomserver/storage/errors.ts";
import { dump, dumpDatabase, logAfter, testStorage } from "../support/storage.ts";

/** Puts a row, and appends an entry that says so. */
const note = (storage: Storage, text: string, key = 1) =>
  storage.commit((write) => {
    write.put("filters", text, [key, "note"]);
    write.append({ topic: "typing", detail: text });
  });
const noted = (storage: Storage, key = 1) => storage.get("filters", [key, "note"]);
const journalOf = async (name: string) => {
  const db = await openDB(name);
  const rows = await db.getAll("journal");
  db.close();
  return rows as ({ epoch: number } | { operations: unknown[] })[];
};

describe("what is acknowledged", () => {
  test("is one record of the journal, whatever it writes, and its rows may come later", async () => {
    const storage = await testStorage();
    await storage.commit((write) => {
      for (let key = 1; key <= 20; key++) write.put("filters", "x", [key, "note"]);
    });
    const records = await journalOf(storage.name);
    expect(records.map((record) => ("operations" in record ? record.operations.length : "marker"))).toEqual([
      "marker",
      20,
    ]);
    expect((await dumpDatabase(storage.name)).filters).toEqual([]);
  });

  test("is what whoever reads gets, in the order in which it was written", async () => {
    const storage = await testStorage();
    await note(storage, "one");
    expect(await noted(storage)).toBe("one");
    await note(storage, "two");
    void note(storage, "three");
    await storage.settled();
    expect(await noted(storage)).toBe("three");
    expect(await storage.getAll("filters")).toEqual(["three"]);
    await storage.commit((write) => write.delete("filters", [1, "note"]));
    expect(await noted(storage)).toBeUndefined();
  });

  test("is in its stores after a while, and in the journal no more", async () => {
    const storage = await testStorage();
    await note(storage, "one");
    await storage.flushed();
    expect((await dumpDatabase(storage.name)).filters).toEqual([[[1, "note"], "one"]]);
    expect(await journalOf(storage.name)).toEqual([{ epoch: 1 }]);
  });

  test("can delete a range", async () => {
    const storage = await testStorage();
    for (const key of [1, 2, 3, 4]) await note(storage, `${key}`, key);
    await storage.commit((write) => write.delete("filters", IDBKeyRange.bound([2], [3, []])));
    expect(await storage.getAll("filters")).toEqual(["1", "4"]);
  });
});

describe("a leader that dies", () => {
  test("before a checkpoint leaves what it acknowledged to the next one", async () => {
    const old = await testStorage();
    await note(old, "one");
    await note(old, "two", 2);
    old.close();
    const next = await testStorage(old.name);
    expect(await next.getAll("filters")).toEqual(["one", "two"]);
    expect((await logAfter(next)).map(({ detail }) => detail)).toEqual(["one", "two"]);
    expect(next.position).toBe(2);
    expect(await journalOf(old.name)).toEqual([{ epoch: 1 }, { epoch: 2 }]);
  });

  test("in the midst of a checkpoint: doing it again changes nothing", async () => {
    const old = await testStorage();
    await note(old, "one");
    const records = await journalOf(old.name);
    await old.flushed();
    await note(old, "two");
    old.close();
    // As if the journal had not been cleared before the end came.
    const db = await openDB(old.name);
    await db.add("journal", records[1], 2);
    db.close();
    const next = await testStorage(old.name);
    expect(await noted(next)).toBe("two");
    expect((await logAfter(next)).map(({ detail }) => detail)).toEqual(["one", "two"]);
  });
});

describe("a leader that another has followed", () => {
  test("writes neither to the journal nor, with a checkpoint that comes late, to the stores", async () => {
    const old = await testStorage();
    await note(old, "old");
    const next = await testStorage(old.name);
    await note(next, "new");
    await next.flushed();
    const before = await dump(next);
    await expect(noted(old)).rejects.toBeInstanceOf(LeaderFenced);
    await expect(note(old, "late")).rejects.toBeInstanceOf(LeaderFenced);
    expect(old.stopped).toEqual(["fenced"]);
    expect(await dump(next)).toEqual(before);
    expect(await noted(next)).toBe("new");
  });

  test("also if many have followed", async () => {
    const old = await testStorage();
    await note(old, "old");
    for (let i = 0; i < 5; i++) await note(await testStorage(old.name), `new ${i}`);
    await expect(note(old, "late")).rejects.toBeInstanceOf(LeaderFenced);
  });
});

test("a checkpoint that the disk does not take loses nothing: all are told, and it is tried again", async () => {
  const storage = await testStorage();
  await note(storage, "one");
  const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
    throw new DOMException("no space", "QuotaExceededError");
  });
  onTestFinished(() => put.mockRestore());
  await expect(noted(storage)).rejects.toMatchObject({ status: 507 });
  await expect(note(storage, "two")).rejects.toMatchObject({ status: 507 });
  put.mockRestore();
  expect(await noted(storage)).toBe("one");
  await note(storage, "three");
  expect(await noted(storage)).toBe("three");
  expect((await logAfter(storage)).map(({ detail }) => detail)).toEqual(["one", "three"]);
});

test("a journal that cannot be cleared after a checkpoint: the log has each entry once", async () => {
  const storage = await testStorage();
  await note(storage, "one");
  await note(storage, "two");
  const removed = vi.spyOn(IDBObjectStore.prototype, "delete").mockImplementationOnce(() => {
    throw new DOMException("no space", "QuotaExceededError");
  });
  onTestFinished(() => removed.mockRestore());
  // The third comes while the checkpoint is under way, and goes with what that leaves over.
  const checkpoint = noted(storage);
  await Promise.all([expect(checkpoint).rejects.toMatchObject({ status: 507 }), note(storage, "three")]);
  expect(await noted(storage)).toBe("three");
  await storage.flushed();
  storage.close();
  const next = await testStorage(storage.name);
  expect((await logAfter(next)).map(({ detail }) => detail)).toEqual(["one", "two", "three"]);
});

test("a key that no store would take is refused at once, with its unit", async () => {
  const storage = await testStorage();
  const bad = (fill: Parameters<Storage["commit"]>[0]) => storage.commit(fill);
  await expect(bad((write) => write.put("filters", "x", [Number.NaN, "x"]))).rejects.toThrow();
  await expect(bad((write) => write.put("filters", "x"))).rejects.toThrow();
  await expect(
    bad((write) =>
      write.put("presence", { presence: "online", statusMsg: "", lastActiveTs: 0, p: 1 }, Number.NaN),
    ),
  ).rejects.toThrow();
  await expect(
    bad((write) => write.put("memberships", { u: Number.NaN, r: 1, m: 1, e: 1, p: 1, f: 0 })),
  ).rejects.toThrow();
  await note(storage, "fine");
  expect(await noted(storage)).toBe("fine");
});
