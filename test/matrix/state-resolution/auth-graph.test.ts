import fc from "fast-check";
import { expect, test } from "vitest";
import { CompactAuthGraph } from "../../../src/matrix/state-resolution/auth-graph.ts";

type Entry = readonly [nid: number, authEvents: readonly number[]];

const nid = fc.integer({ min: 1, max: 0xffff_ffff });
const records = fc.uniqueArray(fc.tuple(nid, fc.array(nid, { maxLength: 5 })), {
  selector: ([first]) => first,
});

const contents = (graph: CompactAuthGraph, of: readonly Entry[]) =>
  of.map(([event]) => [event, Array.from(graph.authEventsOf(event))]);
const sorted = (of: readonly Entry[]) => [...of].sort(([a], [b]) => a - b);
const flat = (of: readonly Entry[]) =>
  Uint32Array.from(of.flatMap(([event, authEvents]) => [event, authEvents.length, ...authEvents]));

test("it holds what was added, in any order, and nothing else", () => {
  fc.assert(
    fc.property(records, nid, (events, other) => {
      const graph = new CompactAuthGraph();
      for (const [event, authEvents] of events) graph.add(event, authEvents);
      expect(contents(graph, events)).toEqual(events);
      expect(graph.size).toBe(events.length);
      if (!events.some(([event]) => event === other)) expect(graph.authEventsOf(other)).toHaveLength(0);
    }),
  );
});

test("it holds what it was made of, in however many pieces, and can go on from there", () => {
  fc.assert(
    fc.property(records, fc.nat(20), fc.nat(20), (events, first, second) => {
      const inOrder = sorted(events);
      const [from, to] = first < second ? [first, second] : [second, first];
      const pieces = [inOrder.slice(0, from), inOrder.slice(from, to)].map(flat);
      const graph = new CompactAuthGraph(pieces);
      expect(graph.size).toBe(Math.min(to, events.length));
      for (const [event, authEvents] of inOrder.slice(to)) graph.add(event, authEvents);
      expect(contents(graph, events)).toEqual(events);
    }),
  );
});

test("what it has already stays as it is", () => {
  const graph = new CompactAuthGraph([
    flat([
      [1, []],
      [2, [1]],
    ]),
    flat([
      [2, [5, 6]],
      [3, [2, 1]],
    ]),
  ]);
  graph.add(3, [7]);
  expect(
    contents(graph, [
      [1, []],
      [2, []],
      [3, []],
    ]),
  ).toEqual([
    [1, []],
    [2, [1]],
    [3, [2, 1]],
  ]);
  expect(graph.size).toBe(3);
});

test("it takes 8 bytes an event and 4 an auth event, and little more when it has grown", () => {
  const events = Array.from({ length: 10_000 }, (_, index): Entry => [index + 1, [1, 2, 3, 4]]);
  const least = 24 * events.length;
  expect(new CompactAuthGraph([flat(events)]).weight - least).toBeLessThan(1000);
  const grown = new CompactAuthGraph();
  for (const [event, authEvents] of events) grown.add(event, authEvents);
  expect(grown.weight).toBeLessThan(1.2 * least);
});
