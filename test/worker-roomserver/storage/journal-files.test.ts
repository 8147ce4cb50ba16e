import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { JournalFiles } from "../../../src/worker-roomserver/storage/journal-files.ts";
import { takeLead } from "../../../src/worker-roomserver/storage/lead.ts";
import { deleteDatabase, openDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { openStorage } from "../../../src/worker-roomserver/storage/storage.ts";
import { type OriginFiles, originFiles } from "../support/origin-files.ts";
import { dumpDatabase, logAfter, testStorage } from "../support/storage.ts";

const note = (storage: Storage, text: string, key = 1) =>
  storage.commit((write) => {
    write.put("filters", text, [key, "note"]);
    write.append({ topic: "typing", detail: text });
  });
const noted = async (storage: Storage) => (await logAfter(storage)).map(({ detail }) => detail);

/** The leader's end, as that of its process: whatever it still does goes nowhere. */
function crash(files: OriginFiles, storage: Storage, powerCut = false): void {
  files.crash(powerCut);
  storage.close();
}

test("what is acknowledged is in the files, and after a crash in the stores", async () => {
  const files = originFiles();
  const storage = await testStorage();
  await note(storage, "one");
  await note(storage, "two", 2);
  expect((await dumpDatabase(storage.name)).filters).toEqual([]);
  crash(files, storage, true);
  const next = await testStorage(storage.name);
  expect(await next.getAll("filters")).toEqual(["one", "two"]);
  expect(await noted(next)).toEqual(["one", "two"]);
});

test("a unit that the disk does not take whole fails, and is not found later", async () => {
  const files = originFiles();
  const storage = await testStorage();
  await note(storage, "one");
  files.failure = new DOMException("no space", "QuotaExceededError");
  await expect(note(storage, "lost")).rejects.toMatchObject({ status: 507 });
  await note(storage, "two");
  crash(files, storage);
  const next = await testStorage(storage.name);
  expect(await noted(next)).toEqual(["one", "two"]);
});

test("what goes to the other file while a checkpoint is under way is not lost with it", async () => {
  const files = originFiles();
  const storage = await testStorage();
  for (let i = 0; i < 100; i++) await note(storage, `${i}`, i);
  const checkpoint = storage.flushed();
  const later = note(storage, "later", 200);
  await later;
  crash(files, storage, true);
  await checkpoint.catch(() => undefined); // it may have been cut short
  const next = await testStorage(storage.name);
  expect(await noted(next)).toEqual([...Array.from({ length: 100 }, (_, i) => `${i}`), "later"]);
});

test("what was written relaxed is not missing before what was flushed to the other file", async () => {
  const files = originFiles();
  const storage = await testStorage();
  await note(storage, "one");
  await storage.commit((write) => write.append({ topic: "typing", detail: "relaxed" }), { relaxed: true });
  const checkpoint = storage.getAll("log"); // from here on, records go to the other file
  await note(storage, "three");
  crash(files, storage, true);
  await checkpoint.catch(() => undefined); // it may have been cut short
  expect(await noted(await testStorage(storage.name))).toEqual(["one", "relaxed", "three"]);
});

test("a checkpoint after one that failed: a crash then leaves every entry in the log", async () => {
  const files = originFiles();
  const storage = await testStorage();
  await note(storage, "one");
  await note(storage, "two");
  const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
    throw new DOMException("no space", "QuotaExceededError");
  });
  onTestFinished(() => put.mockRestore());
  const failing = storage.get("filters", [1, "note"]);
  // The third goes to the other file, and with the next checkpoint into one row with what this one leaves over.
  await Promise.all([expect(failing).rejects.toMatchObject({ status: 507 }), note(storage, "three")]);
  await storage.flushed();
  crash(files, storage, true);
  expect(await noted(await testStorage(storage.name))).toEqual(["one", "two", "three"]);
});

test("a file that cannot be made ready for its next use: what the other one holds stays", async () => {
  const files = originFiles();
  const name = `test-${crypto.randomUUID()}`;
  const ignored = { onSuperseded: () => undefined, onBlocked: () => undefined, onLost: () => undefined };
  const db = await openDatabase(name, ignored);
  const { journal } = await takeLead(db, await JournalFiles.open(name));
  const add = (position: number, detail: string) => {
    const entry = { topic: "typing", room: 0, user: 0, event: 0, detail, position } as const;
    return journal.add({ operations: [], entries: [entry] }, "strict");
  };
  const first = await add(1, "x".repeat(1_500_000));
  journal.turn();
  await journal.clear(first);
  await add(2, "kept");
  files.truncateFailure = new DOMException("no", "InvalidStateError");
  expect(() => journal.turn()).toThrow("no");
  journal.turn();
  await add(3, "later");
  files.crash(true);
  db.close();
  expect((await logAfter(await testStorage(name), 1)).map(({ detail }) => detail)).toEqual(["kept", "later"]);
});

test("what one large write made a file grow by is given back", async () => {
  const files = originFiles();
  const storage = await testStorage();
  const large = "x".repeat(3_000_000);
  await note(storage, large);
  expect(files.size).toBeGreaterThan(large.length);
  for (const text of ["one", "two"]) {
    await storage.flushed();
    await note(storage, text);
  }
  expect(files.size).toBeLessThan(2_000_001);
  crash(files, storage, true);
  expect(await noted(await testStorage(storage.name))).toEqual([large, "one", "two"]);
});

test("the next leader waits until the one before is gone, and then has all of its writes", async () => {
  originFiles();
  const old = await testStorage();
  await note(old, "one");
  let isOpen = false;
  const next = testStorage(old.name).then((storage) => {
    isOpen = true;
    return storage;
  });
  await note(old, "two");
  expect(isOpen).toBe(false);
  old.close();
  expect(await noted(await next)).toEqual(["one", "two"]);
});

test("files that are left of another database of the name are not taken for this one's", async () => {
  originFiles();
  const name = `test-${crypto.randomUUID()}`;
  const before = await openStorage({ name, onStopped: () => undefined });
  await note(before, "of the one that is gone");
  before.close();
  await deleteDatabase(name);
  expect(await noted(await testStorage(name))).toEqual([]);
});

test("where files are refused, as in some private windows, the database has the journal", async () => {
  originFiles();
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(navigator.storage, "getDirectory").mockRejectedValue(new DOMException("no", "SecurityError"));
  const storage = await testStorage();
  await note(storage, "one");
  storage.close();
  expect(await noted(await testStorage(storage.name))).toEqual(["one"]);
  expect(warned).toHaveBeenCalledTimes(2);
});

test("a homeserver whose journal cannot be read does not start without it", async () => {
  originFiles();
  const storage = await testStorage();
  await note(storage, "one");
  storage.close();
  vi.unstubAllGlobals();
  await expect(openStorage({ name: storage.name, onStopped: () => undefined })).rejects.toThrow("journal");
  // Nothing has been changed by the attempt.
  originFiles();
  expect((await dumpDatabase(storage.name)).meta).toHaveLength(2);
});

test("property: whatever happens and when, what was acknowledged is there once, in order", async () => {
  const steps = fc.array(
    fc.constantFrom("note", "note", "note", "settle", "flush", "fail", "crash", "powerCut", "spoil"),
    { maxLength: 30 },
  );
  const files = originFiles();
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      let storage = await testStorage();
      const { name } = storage;
      const acknowledged: string[] = [];
      const pending: Promise<unknown>[] = [];
      for (const [i, step] of script.entries()) {
        if (step === "note") {
          pending.push(
            note(storage, `${i}`).then(
              () => acknowledged.push(`${i}`),
              () => undefined, // nobody was told that it is there
            ),
          );
        } else if (step === "settle") await storage.settled();
        else if (step === "flush") pending.push(storage.flushed().catch(() => undefined));
        else if (step === "fail") files.failure = new DOMException("no space", "QuotaExceededError");
        else {
          await Promise.all(pending);
          files.failure = undefined;
          crash(files, storage, step === "powerCut");
          // Half of something may stand after what was acknowledged.
          if (step === "spoil") {
            for (const number of [0, 1]) {
              files.spoil(`${name}.journal-${number}`, (bytes) =>
                Uint8Array.from([...bytes, 0, 0, 0, 50, 1, 2]),
              );
            }
          }
          storage = await testStorage(name);
        }
      }
      await Promise.all(pending);
      files.failure = undefined;
      crash(files, storage);
      expect(await noted(await testStorage(name))).toEqual(acknowledged);
    }),
    { numRuns: 40 },
  );
});
