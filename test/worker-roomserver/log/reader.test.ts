import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DurableReader } from "../../../src/worker-roomserver/log/reader.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import type { Position } from "../../../src/worker-roomserver/storage/schema.ts";
import { failCommit, nextTask, until } from "../support/rounds.ts";
import { logAfter, testStorage } from "../support/storage.ts";

/** Lists the positions of all receipts in one row: a skipped or repeated entry cannot stay hidden. */
class Listing {
  readonly reader: DurableReader;
  readonly #storage: Storage;
  #list: Promise<Position[]> | undefined;
  failures = 0;
  resets = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.reader = new DurableReader({
      storage,
      name: "listing",
      handle: async (entries) => {
        this.#list ??= stored(storage);
        const list = await this.#list;
        const found = entries.filter((entry) => entry.topic === "receipt").map((entry) => entry.position);
        list.push(...found);
        if (this.failures-- > 0) throw new Error("handling failed");
        const copy = [...list];
        return found.length === 0 ? undefined : (write) => write.put("meta", copy, "listing");
      },
      reset: () => {
        this.resets += 1;
        this.#list = undefined;
      },
    });
    onTestFinished(() => this.reader.stop());
  }

  /** What it knows once it has taken in all that is stored. */
  async inMemory(): Promise<Position[]> {
    await this.reader.caughtUp(this.#storage.position);
    return (await this.#list) ?? stored(this.#storage);
  }
}

const stored = async (storage: Storage) => ((await storage.get("meta", "listing")) ?? []) as Position[];

const append = (storage: Storage, topic: "receipt" | "typing" = "receipt") =>
  storage.commit((write) => write.append({ topic }));

async function positionsOfReceipts(storage: Storage): Promise<Position[]> {
  const entries = await logAfter(storage);
  return entries.filter((entry) => entry.topic === "receipt").map((entry) => entry.position);
}

async function offsetReaches(storage: Storage, position: Position): Promise<void> {
  await until(async () => {
    await storage.flushed();
    return ((await storage.get("readers", "listing")) ?? 0) >= position;
  });
}

describe("a durable reader", () => {
  test("takes in what was there before it, and what comes", async () => {
    const storage = await testStorage();
    await append(storage);
    const listing = new Listing(storage);
    expect(await listing.inMemory()).toEqual([1]);
    await append(storage);
    expect(await listing.inMemory()).toEqual([1, 2]);
  });

  test("goes on from its offset under the next leader", async () => {
    const first = await testStorage();
    const before = new Listing(first);
    await append(first);
    await before.reader.caughtUp(1);
    await offsetReaches(first, 1);
    const second = await testStorage(first.name);
    await append(second);
    expect(await new Listing(second).inMemory()).toEqual([1, 2]);
  });

  test("writes nothing for entries that leave nothing behind", async () => {
    const storage = await testStorage();
    const listing = new Listing(storage);
    await append(storage, "typing");
    await listing.reader.caughtUp(1);
    await storage.flushed();
    expect(await storage.get("readers", "listing")).toBe(0);
  });

  test("does not wait for a position that is not stored", async () => {
    const storage = await testStorage();
    await expect(new Listing(storage).reader.caughtUp(1_000)).resolves.toBeUndefined();
  });

  test("tells those who wait when handling fails, and tries again when asked again", async () => {
    const storage = await testStorage();
    const listing = new Listing(storage);
    await listing.inMemory();
    listing.failures = 1;
    const appended = append(storage);
    await expect(appended.then((position) => listing.reader.caughtUp(position))).rejects.toThrow(
      "handling failed",
    );
    expect(await listing.inMemory()).toEqual([1]);
  });

  test("drops its memory with that of others, which may have been ahead of the disk", async () => {
    const storage = await testStorage();
    const listing = new Listing(storage);
    await append(storage);
    await listing.inMemory();
    const { resets } = listing;
    await failCommit(storage);
    expect(await listing.inMemory()).toEqual([1]);
    expect(listing.resets).toBe(resets + 1);
  });

  test("does not try in a circle what it commits itself and the disk does not take", async () => {
    const storage = await testStorage();
    let tries = 0;
    const reader = new DurableReader({
      storage,
      name: "committing",
      handle: async () => {
        tries += 1;
        await failCommit(storage);
        throw new Error("the disk is full");
      },
      reset: () => undefined,
    });
    onTestFinished(() => reader.stop());
    await expect(append(storage).then((position) => reader.caughtUp(position))).rejects.toThrow(
      "the disk is full",
    );
    expect(tries).toBe(2);
  });

  test("tells those who ask a stopped reader", async () => {
    const storage = await testStorage();
    const listing = new Listing(storage);
    listing.reader.stop();
    await append(storage);
    await expect(listing.reader.caughtUp(1)).rejects.toThrow("stopped");
  });

  test("each entry has its effect once, wherever leaders die and commits fail", async () => {
    vi.spyOn(console, "error").mockReturnValue(); // fenced readers complain
    onTestFinished(() => void vi.restoreAllMocks());
    const step = fc.constantFrom("append", "typing", "burst", "await", "task", "crash", "rollback", "fail");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        let storage = await testStorage();
        let listing = new Listing(storage);
        const last: { [step in (typeof steps)[number]]: () => Promise<unknown> } = {
          append: () => append(storage),
          typing: () => append(storage, "typing"),
          burst: async () => {
            // Some of these may be lost when the leader dies: they were not acknowledged.
            for (let i = 0; i < 5; i++) append(storage).catch(() => undefined);
          },
          await: () => listing.reader.caughtUp(storage.position).catch(() => undefined),
          task: nextTask,
          crash: async () => {
            storage = await testStorage(storage.name);
            listing = new Listing(storage);
          },
          rollback: () => failCommit(storage),
          fail: async () => {
            listing.failures = 1;
          },
        };
        for (const one of steps) await last[one]();
        await storage.flushed();
        listing.failures = 0;
        const want = await positionsOfReceipts(storage);
        expect(await listing.inMemory()).toEqual(want);
        await storage.commit((write) => write.append({ topic: "receipt" }));
        await offsetReaches(storage, storage.position);
        expect(await stored(storage)).toEqual(await positionsOfReceipts(storage));
      }),
      { numRuns: 60 },
    );
  });
});

test("what has been stored is in the stores, however much came while the one before was written", async () => {
  const storage = await testStorage();
  const { reader } = new Listing(storage);
  for (let i = 0; i < 5; i++) {
    await append(storage);
    await reader.caughtUp(storage.position);
  }
  await reader.stored(storage.position);
  expect(await stored(storage)).toEqual(await positionsOfReceipts(storage));
  await append(storage, "typing");
  await reader.stored(storage.position);
  expect(await stored(storage)).toHaveLength(5);
});
