import { describe, expect, test } from "vitest";
import { later, lazily, lazySteps, loadAllLater, once } from "../../../src/worker-roomserver/node/later.ts";

describe("what is made once", () => {
  test("is the same for all who ask, also at the same time", async () => {
    let made = 0;
    const thing = once(async () => ({ number: ++made }));
    const [first, second] = await Promise.all([thing(), thing()]);
    expect(first).toBe(second);
    expect(await thing()).toBe(first);
    expect(made).toBe(1);
  });

  test("is tried again after it has failed", async () => {
    let tries = 0;
    const thing = once(async () => {
      tries += 1;
      if (tries === 1) throw new Error("not yet");
      return "here";
    });
    await expect(Promise.all([thing(), thing()])).rejects.toThrow("not yet");
    expect(await thing()).toBe("here");
    expect(tries).toBe(2);
  });
});

describe("an object that is made when it is called", () => {
  class Counter {
    #count = 0;
    async add(number: number): Promise<number> {
      this.#count += number;
      return this.#count;
    }
    async fail(): Promise<void> {
      throw new Error("as it does");
    }
  }

  test("answers as if it had been there", async () => {
    let made = 0;
    const counter = lazily<Counter>(
      once(async () => {
        made += 1;
        return new Counter();
      }),
    );
    expect(made).toBe(0);
    expect(await Promise.all([counter.add(1), counter.add(2)])).toEqual([1, 3]);
    await expect(counter.fail()).rejects.toThrow("as it does");
    expect(made).toBe(1);
  });

  test("can be handed on by a promise", async () => {
    const counter = await Promise.resolve(lazily<Counter>(once(async () => new Counter())));
    expect(await counter.add(5)).toBe(5);
  });

  test("gives its steps", async () => {
    const steps = lazySteps(async () =>
      (async function* () {
        yield;
        yield;
      })(),
    );
    let count = 0;
    for await (const _ of steps) count += 1;
    expect(count).toBe(2);
  });
});

test("all modules that are loaded later are loaded on demand, those that failed before too", async () => {
  const loaded: string[] = [];
  let isThere = false;
  later(async () => void loaded.push("one"));
  const two = later(async () => {
    if (!isThere) throw new Error("no such file");
    loaded.push("two");
  });
  await expect(loadAllLater()).rejects.toThrow("no such file");
  isThere = true;
  await two();
  await loadAllLater();
  expect(loaded).toEqual(["one", "two"]);
});
