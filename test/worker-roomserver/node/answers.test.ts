import { expect, test } from "vitest";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";
import { testStorage } from "../support/storage.ts";

const MINUTE = 60_000;

/** An operation that counts how often it is carried out. */
function counting(storage: Storage) {
  const counter = { runs: 0 };
  const operation = (record: Parameters<Parameters<Answers["once"]>[1]>[0]) => {
    counter.runs += 1;
    const { runs } = counter;
    return storage.commit((write) => record(write, { runs }));
  };
  return { counter, operation };
}

test("an operation is carried out once for a request, at once and later", async () => {
  const storage = await testStorage();
  const answers = await Answers.open(storage, () => 0);
  const { counter, operation } = counting(storage);
  const both = await Promise.all([answers.once("r", operation), answers.once("r", operation)]);
  expect(both).toEqual([{ runs: 1 }, { runs: 1 }]);
  expect(await answers.once("r", operation)).toEqual({ runs: 1 });
  expect(await answers.once("other", operation)).toEqual({ runs: 2 });
  expect(counter.runs).toBe(2);
});

test("the next leader gives the answer that the last one stored", async () => {
  const storage = await testStorage();
  await (await Answers.open(storage, () => 0)).once("r", counting(storage).operation);
  const next = await testStorage(storage.name);
  const { counter, operation } = counting(next);
  expect(await (await Answers.open(next, () => MINUTE)).once("r", operation)).toEqual({ runs: 1 });
  expect(counter.runs).toBe(0);
});

test("what has failed may be tried again", async () => {
  const storage = await testStorage();
  const answers = await Answers.open(storage, () => 0);
  await expect(answers.once("r", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await answers.once("r", counting(storage).operation)).toEqual({ runs: 1 });
});

test("answers are dropped after ten minutes: with the next answer, and at the next start", async () => {
  const storage = await testStorage();
  let now = 0;
  const answers = await Answers.open(storage, () => now);
  await answers.once("old", counting(storage).operation);
  now = 11 * MINUTE;
  await answers.once("new", counting(storage).operation);
  expect(await storage.getAllKeys("answers")).toEqual(["new"]);
  now = 22 * MINUTE;
  await Answers.open(storage, () => now);
  expect(await storage.getAllKeys("answers")).toEqual([]);
});
