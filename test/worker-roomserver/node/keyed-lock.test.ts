import { expect, test } from "vitest";
import { KeyedLock } from "../../../src/worker-roomserver/node/keyed-lock.ts";

/** A promise that is kept from outside. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test("a task with several keys waits for each of them, and keeps each from others until it ends", async () => {
  const lock = new KeyedLock<string>();
  const [before, started, during] = [gate(), gate(), gate()];
  const order: string[] = [];
  const first = lock.run("b", async () => {
    await before.opened;
    order.push("first");
  });
  const all = lock.runAll(["b", "a", "b"], async () => {
    order.push("all");
    started.open();
    await during.opened;
    order.push("all ends");
  });
  await lock.run("c", async () => void order.push("c"));
  before.open();
  await Promise.all([first, started.opened]);
  const after = ["a", "b"].map((key) => lock.run(key, async () => void order.push(key)));
  await lock.run("c", async () => void order.push("c"));
  during.open();
  await Promise.all([all, ...after]);
  expect(order.slice(0, 5)).toEqual(["c", "first", "all", "c", "all ends"]);
  expect(order.slice(5).sort()).toEqual(["a", "b"]);
});

test("two that name their keys in another order both come to their end, and so do those after one that failed", async () => {
  const lock = new KeyedLock<string>();
  const failing = lock.runAll(["a", "b"], () => Promise.reject(new Error("no")));
  const others = [lock.runAll(["b", "a"], async () => 1), lock.runAll(["a", "b"], async () => 2)];
  await expect(failing).rejects.toThrow("no");
  expect(await Promise.all(others)).toEqual([1, 2]);
});
