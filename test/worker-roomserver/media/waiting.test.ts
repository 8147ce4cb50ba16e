import { expect, test } from "vitest";
import { Waiting } from "../../../src/worker-roomserver/media/waiting.ts";

const long = 60_000;

test("what comes between the first look and the waiting is seen", async () => {
  const answers = [undefined, "there"];
  expect(await new Waiting().for("a", long, async () => answers.shift())).toBe("there");
});

test("who waits is woken for what it waits for alone", async () => {
  const waiting = new Waiting();
  let looks = 0;
  let seen: string | undefined;
  let waits: () => void = () => undefined;
  const isWaiting = new Promise<void>((resolve) => {
    waits = resolve;
  });
  const found = waiting.for("a", long, async () => {
    looks += 1;
    if (looks === 2) waits();
    return seen;
  });
  await isWaiting;
  waiting.wake("b");
  await Promise.resolve();
  expect(looks).toBe(2);
  seen = "there";
  waiting.wake("a");
  expect(await found).toBe("there");
});

test("who may not wait does not", async () => {
  expect(await new Waiting().for("a", 0, async () => undefined)).toBeUndefined();
});
