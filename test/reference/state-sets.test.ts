import { expect, test } from "vitest";
import type { RefEvent } from "./events.ts";
import { authChains, authDifference, conflictedStateSubgraph, separate } from "./state-sets.ts";

/*
 * Who cites whom:
 *
 *   a ◄── b ◄── c ◄── d
 *         ▲           │
 *         e ◄─────────┘      f, apart: a ◄── f
 */
const auth: { readonly [id: string]: readonly string[] } = {
  a: [],
  b: ["a"],
  c: ["b"],
  d: ["c", "e"],
  e: ["b"],
  f: ["a"],
};
const chain = authChains((eventId) => ({ eventId, auth: auth[eventId] ?? [] }) as unknown as RefEvent);

const state = (entries: { readonly [key: string]: string }) => new Map(Object.entries(entries));

test("an auth chain has all that is cited, over any number of steps", () => {
  expect([...chain("d")].sort()).toEqual(["a", "b", "c", "d", "e"]);
  expect([...chain("f")].sort()).toEqual(["a", "f"]);
});

test.each<[string, { [key: string]: string }[], unconflicted: string, conflicted: string]>([
  ["one state", [{ x: "a", y: "b" }], "a b", ""],
  ["equal states", [{ x: "a" }, { x: "a" }, { x: "a" }], "a", ""],
  [
    "two that differ",
    [
      { x: "a", y: "b" },
      { x: "a", y: "c" },
    ],
    "a",
    "b c",
  ],
  ["an entry that one lacks", [{ x: "a", y: "b" }, { x: "a" }], "a", "b"],
  ["one of three that differs", [{ x: "a" }, { x: "a" }, { x: "b" }], "", "a b"],
  ["an empty state", [{ x: "a" }, {}], "", "a"],
])("unconflicted and conflicted state of %s", (_, entries, unconflicted, conflicted) => {
  const separated = separate(entries.map(state));
  expect([...separated.unconflicted.values()].sort().join(" ")).toBe(unconflicted);
  expect([...separated.conflicted].sort().join(" ")).toBe(conflicted);
});

test.each<[string, { [key: string]: string }[], want: string]>([
  ["equal states", [{ x: "d" }, { x: "d" }], ""],
  ["one chain within another", [{ x: "b" }, { x: "c" }], "c"],
  ["chains that part", [{ x: "c" }, { x: "e" }], "c e"],
  ["three chains", [{ x: "c" }, { x: "e" }, { x: "b" }], "c e"],
  [
    "an event that all states hold and one cites",
    [
      { x: "e", y: "d" },
      { x: "e", y: "b" },
    ],
    "c d",
  ],
  ["an empty state", [{ x: "b" }, {}], "a b"],
])("auth difference of %s", (_, entries, want) => {
  expect([...authDifference(entries.map(state), chain)].sort().join(" ")).toBe(want);
});

test.each<[string, conflicted: string, want: string]>([
  ["what lies between two", "b d", "b c d e"],
  ["nothing beside", "c d", "c d"],
  ["nothing below the lowest", "d e", "d e"],
  ["two without a path", "c e", "c e"],
  ["one alone", "c", "c"],
  ["with one apart", "b d f", "b c d e f"],
])("conflicted state subgraph: %s", (_, conflicted, want) => {
  expect([...conflictedStateSubgraph(new Set(conflicted.split(" ")), chain)].sort().join(" ")).toBe(want);
});
