import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DurableReader } from "../../../src/worker-roomserver/log/reader.ts";
import { trimLog } from "../../../src/worker-roomserver/log/trim.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { failCommit, nextTask } from "../support/rounds.ts";
import { dump, logAfter, testStorage } from "../support/storage.ts";
import { testSync, texts } from "../sync/support/sync.ts";

/** Entries in rows of their own, as after a checkpoint each. */
async function append(storage: Storage, entries: number): Promise<void> {
  for (let i = 0; i < entries; i++) {
    await storage.commit((write) => write.append({ topic: "receipt" }));
    await storage.flushed();
  }
}

async function trim(storage: Storage, kept: number): Promise<void> {
  for await (const _ of trimLog(storage, kept));
}

function reader(storage: Storage, name: string) {
  const seen: number[] = [];
  const handle = async (entries: readonly { position: number }[]) => {
    seen.push(...entries.map(({ position }) => position));
    return () => undefined;
  };
  const made = new DurableReader({ storage, name, handle, reset: () => undefined });
  onTestFinished(() => made.stop());
  return { seen, reader: made };
}

describe("a log that is trimmed", () => {
  test("says where it begins, under this leader and the next", async () => {
    const storage = await testStorage();
    await append(storage, 10);
    await trim(storage, 4);
    expect(storage.logStart).toBe(6);
    const next = await testStorage(storage.name);
    expect([next.logStart, next.position]).toEqual([6, 10]);
    expect(await next.entriesAfter(5, 100)).toBeUndefined();
    expect((await logAfter(next, 6)).map(({ position }) => position)).toEqual([7, 8, 9, 10]);
    await append(next, 1);
    expect(next.position).toBe(11);
  });

  test("keeps its last row, which says how far it has come", async () => {
    const storage = await testStorage();
    await append(storage, 3);
    await trim(storage, 0);
    await trim(storage, -10);
    expect(await (await testStorage(storage.name)).position).toBe(3);
  });

  test("keeps what a reader has not seen", async () => {
    const storage = await testStorage();
    await append(storage, 10);
    await storage.commit((write) => write.put("readers", 3, "slow"));
    await trim(storage, 0);
    expect(storage.logStart).toBe(3);
    const slow = reader(storage, "slow");
    await slow.reader.caughtUp(10);
    expect(slow.seen).toEqual([4, 5, 6, 7, 8, 9, 10]);
  });

  test("is read by a new reader from where it begins, and is not trimmed under it", async () => {
    const storage = await testStorage();
    await append(storage, 10);
    await trim(storage, 4);
    const young = reader(storage, "young");
    await young.reader.caughtUp(7);
    young.reader.stop();
    expect(young.seen).toEqual([7, 8, 9, 10]);
    await storage.flushed();
    expect(await storage.get("readers", "young")).toBeGreaterThanOrEqual(6);
  });

  test("under a reader that has only just put down where it begins is read from where it begins then", async () => {
    const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => complaints.mockRestore());
    const storage = await testStorage();
    await append(storage, 10);
    vi.spyOn(storage, "entriesAfter").mockImplementationOnce(async () => {
      await storage.trimLog(8);
      return undefined;
    });
    const young = reader(storage, "young");
    await young.reader.caughtUp(10);
    expect(young.seen).toEqual([9, 10]);
    expect(complaints).toHaveBeenCalledOnce();
  });

  test("trimming it again changes nothing", async () => {
    const storage = await testStorage();
    await append(storage, 10);
    await trim(storage, 4);
    const once = await dump(storage);
    await trim(storage, 4);
    expect(await dump(storage)).toEqual(once);
  });

  test("property: has all after its start, whatever fails and whoever leads", async () => {
    const step = fc.oneof(
      fc.constantFrom("append", "burst", "flush", "crash", "fail", "task"),
      fc.integer({ min: 0, max: 6 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let storage = await testStorage();
        let before = 0;
        const one = () => storage.commit((write) => write.append({ topic: "receipt" }));
        for (const each of steps) {
          if (typeof each === "number") await trim(storage, each);
          if (each === "append") await one();
          if (each === "burst") await Promise.all([one(), one(), one()]);
          if (each === "flush") await storage.flushed();
          if (each === "fail") await failCommit(storage);
          if (each === "task") await nextTask();
          if (each === "crash") {
            const { position } = storage;
            storage = await testStorage(storage.name);
            expect(storage.position).toBe(position);
          }
          expect(storage.position).toBeGreaterThanOrEqual(before);
          before = storage.position;
          const { logStart } = storage;
          const want = Array.from({ length: before - logStart }, (_, i) => logStart + 1 + i);
          expect((await logAfter(storage, logStart)).map(({ position }) => position)).toEqual(want);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("a sync from before the log's start asks each room, with the same answer", async () => {
  const t = await testSync();
  const roomId = await t.create("alice");
  const { next_batch: since } = await t.poll("alice");
  await t.say("alice", roomId, "long ago");
  await t.storage.flushed();
  for (let i = 0; i < 5; i++) {
    await t.typing.set(await t.nid(roomId), []);
    await t.storage.flushed();
  }
  // The next leader has nothing of it in memory either.
  const next = await testSync(t.storage.name);
  await trim(next.storage, 2);
  expect(await next.storage.entriesAfter(Number(since.slice(1)), 10)).toBeUndefined();
  const answer = await next.poll("alice", { since });
  expect(texts(answer.rooms.join[roomId]!.timeline)).toEqual(["long ago"]);
});
