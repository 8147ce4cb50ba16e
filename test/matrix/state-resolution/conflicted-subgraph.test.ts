import fc from "fast-check";
import { expect, test } from "vitest";
import { conflictedSubgraph } from "../../../src/matrix/state-resolution/conflicted-subgraph.ts";
import { authChain, citations, graphOf } from "./arbitrary-auth-graph.ts";

const ascending = (nids: Iterable<number>) => [...nids].sort((a, b) => a - b);

test("it is what lies on a way from one conflicted event to another, and these events", () => {
  let between = 0;
  const events = citations.chain((cited) =>
    fc.tuple(fc.constant(cited), fc.uniqueArray(fc.integer({ min: 1, max: cited.length }), { maxLength: 5 })),
  );
  fc.assert(
    fc.property(events, ([cited, conflicted]) => {
      const want = cited
        .map((_, index) => index + 1)
        .filter((nid) => {
          if (conflicted.includes(nid)) return true;
          const below = authChain(nid, cited);
          return (
            conflicted.some((end) => below.has(end)) &&
            conflicted.some((start) => authChain(start, cited).has(nid))
          );
        });
      expect(ascending(conflictedSubgraph(conflicted, graphOf(cited)))).toEqual(want);
      between += want.length - conflicted.length;
    }),
  );
  expect(between).toBeGreaterThan(0);
});

// TestCalculateFullAuthChainAndConflictedSubgraph in stateresolutionv2_test.go of matrix-org/gomatrixserverlib:
// A < B < C, which D and E cite; D2 cites D, E2 cites E, F both, and G cites F.
const [a, b, c, d, e, d2, e2, f, g] = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
const diamond = [[], [a], [b], [c], [c], [d], [e], [d2, e2], [f]];

test.each([
  [
    [b, d],
    [b, c, d],
  ],
  [
    [f, b],
    [b, c, d, e, d2, e2, f],
  ],
  [
    [c, a],
    [a, b, c],
  ],
  [
    [g, f, c, a],
    [a, b, c, d, e, d2, e2, f, g],
  ],
  [
    [d, e],
    [d, e],
  ],
  [[], []],
])("between %j there is %j", (conflicted, want) => {
  expect(ascending(conflictedSubgraph(conflicted, graphOf(diamond)))).toEqual(want);
});

test("below the lowest conflicted event, nothing is asked for", () => {
  const graph = graphOf(diamond);
  const asked: number[] = [];
  conflictedSubgraph([g, d2], {
    authEventsOf: (nid) => {
      asked.push(nid);
      return graph.authEventsOf(nid);
    },
  });
  expect(ascending(asked)).toEqual([d2, e2, f, g]);
});
