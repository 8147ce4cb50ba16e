import { expect, test } from "vitest";
import { receiptsByKey } from "../../../src/ui/model/receipts.ts";

const row = (key: string, readers: string[], shown = true, sender = "alice") => ({
  key,
  sender,
  shown,
  readers,
});

test("readers stand at the event they read up to", () => {
  const receipts = receiptsByKey([row("1", ["bob"]), row("2", []), row("3", ["carol", "dave"])]);
  expect([...receipts]).toEqual([
    ["1", ["bob"]],
    ["3", ["carol", "dave"]],
  ]);
});

test("a receipt for what is not shown counts for what stands before it", () => {
  expect([...receiptsByKey([row("1", ["bob"]), row("2", ["carol"], false)])]).toEqual([
    ["1", ["bob", "carol"]],
  ]);
});

test("a receipt before everything that is shown is not shown", () => {
  expect([...receiptsByKey([row("1", ["bob"], false), row("2", [])])]).toEqual([]);
});

test("nobody is listed as a reader of their own words", () => {
  const receipts = receiptsByKey([row("1", ["alice", "bob"]), row("2", ["alice"], false, "bob")]);
  expect([...receipts]).toEqual([["1", ["bob"]]]);
});
