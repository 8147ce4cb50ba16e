import { describe, expect, test } from "vitest";
import { StoredNames } from "../../../src/worker-roomserver/storage/names.ts";

/** Names over a disk that counts how often it is asked; each is given the next number. */
function names(count: number) {
  const disk = new Map(Array.from({ length: count }, (_, i) => [`name ${i + 1}`, i + 1]));
  let reads = 0;
  const get = async (_store: string, text: string | number) => {
    reads += 1;
    return disk.get(text as string);
  };
  const first = [...disk].slice(0, 2_000).map(([text, nid]) => ({ text, nid }));
  const given: { text: string; nid: number }[] = [];
  const allocate = (text: string) => {
    const nid = disk.size + given.length + 1;
    given.push({ text, nid });
    return nid;
  };
  const stored = new StoredNames({ get: get as never }, allocate, first);
  return { stored, given, reads: () => reads };
}

describe("a name that there is not", () => {
  test("is known to be none without the disk while all names are in memory", async () => {
    const { stored, given, reads } = names(10);
    expect(await stored.find("nothing")).toBeUndefined();
    expect(await stored.find("name 7")).toBe(7);
    expect(await stored.intern("new")).toBe(11);
    // Being written, and then written.
    expect([await stored.find("other"), await stored.find("new")]).toEqual([undefined, 11]);
    stored.written(given);
    expect([await stored.find("other"), await stored.find("new")]).toEqual([undefined, 11]);
    expect(reads()).toBe(0);
  });

  test("is looked for on the disk, once, where there are more than are read at first", async () => {
    const { stored, reads } = names(2_500);
    expect(await stored.find("nothing")).toBeUndefined();
    expect(await stored.find("nothing")).toBeUndefined();
    expect(reads()).toBe(1);
    expect(await stored.find("name 2400")).toBe(2_400);
    expect(await stored.intern("name 2401")).toBe(2_401);
  });
});
