import { describe, expect, onTestFinished, test } from "vitest";
import type { Documents } from "../../../src/relay/documents/api.ts";

/** An implementation under test: `reopen` ends it, as a process does that is stopped, and opens what it kept. */
export type Opened<Store> = { store: Store; reopen(): Promise<Store>; close(): Promise<void> };

/** What every implementation of `Documents` does. */
export function documentsContract(name: string, open: () => Promise<Opened<Documents>>): void {
  const opened = async () => {
    const one = await open();
    onTestFinished(() => one.close());
    return one;
  };

  describe(`documents: ${name}`, () => {
    test("a document is there once it was answered, and after a restart", async () => {
      const { store, reopen } = await opened();
      expect(await store.read("a", "k")).toBeUndefined();
      const result = await store.change("a", "k", () => ({ to: { n: 1 }, result: "made" }));
      expect(result).toBe("made");
      expect(await store.read("a", "k")).toEqual({ n: 1 });
      expect(await (await reopen()).read("a", "k")).toEqual({ n: 1 });
    });

    test("kinds are apart, `to: undefined` deletes, and leaving it out changes nothing", async () => {
      const { store } = await opened();
      await store.change("a", "k", () => ({ to: 1, result: undefined }));
      await store.change("b", "k", () => ({ to: 2, result: undefined }));
      await store.change<number, void>("a", "k", () => ({ to: undefined, result: undefined }));
      expect(await store.read("a", "k")).toBeUndefined();
      expect(await store.change<number, number>("b", "k", (now) => ({ result: now ?? 0 }))).toBe(2);
      expect(await store.read("b", "k")).toBe(2);
    });

    test("of changes at the same time, each sees what the others have made", async () => {
      const { store } = await opened();
      const results = await Promise.all(
        Array.from({ length: 50 }, () =>
          store.change<number, number>("n", "k", (now = 0) => ({ to: now + 1, result: now })),
        ),
      );
      expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
      expect(await store.read("n", "k")).toBe(50);
    });

    test("a change that throws is rejected and changes nothing; those beside it are made", async () => {
      const { store } = await opened();
      const good = store.change("n", "good", () => ({ to: 1, result: undefined }));
      const bad = store.change("n", "bad", () => {
        throw new Error("no");
      });
      const after = store.change("n", "after", () => ({ to: 2, result: undefined }));
      await expect(bad).rejects.toThrow("no");
      await Promise.all([good, after]);
      expect(await store.list("n", "", 10)).toEqual(["after", "good"]);
    });

    test("a document of 512 kB is kept, and a larger one is refused with 413, the old one staying", async () => {
      const { store } = await opened();
      const text = (length: number) => () => ({ to: "x".repeat(length), result: undefined });
      await store.change("a", "k", text(512 * 1024 - 2));
      await expect(store.change("a", "k", text(512 * 1024 - 1))).rejects.toMatchObject({ status: 413 });
      expect(await store.read<string>("a", "k")).toHaveLength(512 * 1024 - 2);
    });

    test("keys are listed by code unit, after a key, up to a number", async () => {
      const { store } = await opened();
      const keys = ["b", "a", "\u{ffff}", "\u{10000}", "aa", "A", "a/b"];
      for (const key of keys) await store.change("l", key, () => ({ to: 1, result: undefined }));
      await store.change("other", "x", () => ({ to: 1, result: undefined }));
      const sorted = [...keys].sort();
      expect(await store.list("l", "", 100)).toEqual(sorted);
      expect(await store.list("l", "a", 2)).toEqual(["a/b", "aa"]);
      expect(await store.list("l", "\u{ffff}", 2)).toEqual([]);
    });
  });
}
