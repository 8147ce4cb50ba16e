import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { CommitSuperseded, LeaderFenced } from "../../../src/worker-roomserver/storage/errors.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { openStorage } from "../../../src/worker-roomserver/storage/storage.ts";
import { dump, logAfter, testStorage } from "../support/storage.ts";

/** Appends an entry that says `detail`. */
const say = (storage: Storage, detail: string) =>
  storage.commit((write) => write.append({ topic: "typing", detail }));
const said = async (storage: Storage) => (await logAfter(storage)).map(({ detail }) => detail);
/** Queues a unit that the disk refuses: a function cannot be cloned. */
const fail = (storage: Storage) =>
  storage.commit((write) => {
    write.append({ topic: "typing", detail: "failed" });
    write.put("filters", (() => undefined) as unknown as string, [1, "x"]);
  });

describe("commit", () => {
  test("numbers units in the order in which they were queued, without gaps", async () => {
    const storage = await testStorage();
    const positions = await Promise.all(["a", "b", "c"].map((detail) => say(storage, detail)));
    expect(positions).toEqual([1, 2, 3]);
    expect(storage.position).toBe(3);
    expect(await said(storage)).toEqual(["a", "b", "c"]);
  });

  test("shows entries to listeners only once they are durable, in order and each once", async () => {
    const storage = await testStorage();
    const seen: [string, number][] = [];
    storage.onEntries((entries) => {
      for (const { detail } of entries) seen.push([detail, storage.position]);
    });
    const first = say(storage, "a");
    expect(seen).toEqual([]);
    await Promise.all([first, say(storage, "b")]);
    await say(storage, "c");
    expect(seen).toEqual([
      ["a", 2],
      ["b", 2],
      ["c", 3],
    ]);
  });

  test("takes a unit with as many rows as a large room has", async () => {
    // Not put into its stores at the end, which would take a browser half a minute: the journal is what is tested.
    const name = `test-${crypto.randomUUID()}`;
    const storage = await openStorage({ name, onStopped: () => undefined });
    const count = 150_000;
    // Those of rows that are not there are the cheapest.
    const committed = storage.commit((write) => {
      for (let i = 0; i < count; i++) write.delete("meta", `row ${i}`);
      return "all";
    });
    const followed = say(storage, "next");
    expect(await committed).toBe("all");
    expect(await followed).toBe(1);
    storage.close();
    await deleteDatabase(name);
  });

  test("a callback that throws leaves nothing behind and uses up no number", async () => {
    const storage = await testStorage();
    const failed = storage.commit((write) => {
      write.append({ topic: "typing" });
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await say(storage, "a")).toBe(1);
  });

  test("a unit that the disk refuses fails with all that was queued behind it, and the next succeeds", async () => {
    const storage = await testStorage();
    await say(storage, "before");
    let rollbacks = 0;
    storage.onRollback(() => {
      rollbacks += 1;
    });
    const generation = storage.generation;
    const refused = fail(storage);
    const behind = say(storage, "behind");
    await expect(refused).rejects.toMatchObject({ errcode: "M_UNKNOWN", status: 500 });
    await expect(behind).rejects.toMatchObject({ status: 500 });
    expect(rollbacks).toBe(1);
    expect(storage.generation).toBe(generation + 1);
    expect(await say(storage, "after")).toBe(2);
    expect(await said(storage)).toEqual(["before", "after"]);
  });

  test("refuses a unit whose basis is void", async () => {
    const storage = await testStorage();
    const basis = storage.generation;
    await expect(fail(storage)).rejects.toThrow();
    const based = storage.commit((write) => write.append({ topic: "typing" }), { basis });
    await expect(based).rejects.toBeInstanceOf(CommitSuperseded);
    expect(storage.position).toBe(0);
  });

  test("a name given out stays given, also when the unit that would have written it fails", async () => {
    const storage = await testStorage();
    const nid = await storage.names.intern("@alice:here");
    await expect(fail(storage)).rejects.toThrow();
    expect(await storage.names.intern("@alice:here")).toBe(nid);
    expect(await storage.names.intern("@bob:here")).not.toBe(nid);
    await say(storage, "now");
    const again = await testStorage(storage.name);
    expect(await again.names.find("@alice:here")).toBe(nid);
    expect(await again.names.text(nid)).toBe("@alice:here");
  });

  test("a name that was asked for in vain is found once it is given out", async () => {
    const storage = await testStorage();
    expect(await storage.names.find("@carol:here")).toBeUndefined();
    const [nid, found] = [await storage.names.intern("@carol:here"), await storage.names.find("@carol:here")];
    expect(found).toBe(nid);
    await say(storage, "written");
    expect(await storage.names.find("@carol:here")).toBe(nid);
  });

  test("many callers who intern the same new name get one nid", async () => {
    const storage = await testStorage();
    const nids = await Promise.all(Array.from({ length: 20 }, () => storage.names.intern("!room:here")));
    expect(new Set(nids).size).toBe(1);
  });
});

test("callers who come again and again share transactions; one alone never waits for company", async () => {
  const storage = await testStorage();
  let transactions = 0;
  storage.onEntries(() => {
    transactions += 1;
  });
  const caller = async (name: string) => {
    for (let i = 0; i < 20; i++) await say(storage, name);
  };
  await caller("alone");
  expect(transactions).toBe(20);
  await Promise.all(["a", "b", "c", "d"].map(caller));
  expect(storage.position).toBe(100);
  expect(transactions - 20).toBeLessThan(40);
});

describe("a lazy unit", () => {
  const whisper = (storage: Storage, text: string) =>
    storage.commit((write) => write.put("filters", text, [1, "lazy"]), { lazy: true });
  const whispered = (storage: Storage) => storage.get("filters", [1, "lazy"]);

  test("does not burden the units that somebody waits for, and is written by itself after a while", async () => {
    const storage = await testStorage();
    const lazy = whisper(storage, "one");
    await say(storage, "eager");
    expect(await whispered(storage)).toBeUndefined();
    await lazy;
    expect(await whispered(storage)).toBe("one");
  });

  test("is written when somebody waits for all that is queued", async () => {
    const storage = await testStorage();
    void whisper(storage, "one");
    void whisper(storage, "two");
    await storage.flushed();
    expect(await whispered(storage)).toBe("two");
  });

  test("fails with a unit that fails, as it may rest on it", async () => {
    const storage = await testStorage();
    const lazy = whisper(storage, "one");
    await expect(fail(storage)).rejects.toThrow();
    await expect(lazy).rejects.toThrow();
    expect(await whispered(storage)).toBeUndefined();
  });

  test("takes no number", async () => {
    const storage = await testStorage();
    const numbered = storage.commit((write) => write.append({ topic: "typing" }), { lazy: true });
    await expect(numbered).rejects.toThrow("lazy");
    expect(await say(storage, "a")).toBe(1);
  });
});

describe("the fence", () => {
  test("a leader that another has followed writes nothing, and is told", async () => {
    const old = await testStorage();
    await say(old, "a");
    const next = await testStorage(old.name);
    await expect(say(old, "late")).rejects.toBeInstanceOf(LeaderFenced);
    expect(old.stopped).toEqual(["fenced"]);
    await expect(say(old, "later")).rejects.toBeInstanceOf(LeaderFenced);
    await say(next, "b");
    expect(await said(next)).toEqual(["a", "b"]);
    expect(next.stopped).toEqual([]);
  });

  test("what the old leader has queued when the new one comes is there whole or not at all", async () => {
    const old = await testStorage();
    const pending = Array.from({ length: 10 }, (_, i) => say(old, `${i}`));
    const next = await testStorage(old.name);
    const outcomes = await Promise.allSettled(pending);
    const kept = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [`${i}`] : []));
    expect(await said(next)).toEqual(kept);
  });
});

test("property: after any mix of units that succeed and fail, the disk holds those that were acknowledged, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("say", "fail", "wait"), { maxLength: 15 }), async (steps) => {
      const storage = await testStorage();
      const acknowledged: string[] = [];
      const pending: Promise<void>[] = [];
      for (const [i, step] of steps.entries()) {
        if (step === "wait") await storage.flushed();
        const unit = step === "say" ? say(storage, `${i}`) : step === "fail" ? fail(storage) : undefined;
        pending.push(
          Promise.resolve(unit).then(
            () => void (step === "say" && acknowledged.push(`${i}`)),
            () => undefined,
          ),
        );
      }
      await Promise.all(pending);
      const again = await testStorage(storage.name);
      expect(await said(again)).toEqual(acknowledged);
      const positions = (await logAfter(again)).map(({ position }) => position);
      expect(positions).toEqual(acknowledged.map((_, i) => i + 1));
      // One row takes what was written together, under the position of the last of it.
      const rows = (await dump(again)).log! as [number, unknown[]][];
      let last = 0;
      for (const [key, entries] of rows) {
        last += entries.length;
        expect(key).toBe(last);
      }
    }),
    { numRuns: 25 },
  );
});
