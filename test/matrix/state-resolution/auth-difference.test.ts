import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventNid, StateSets } from "../../../src/matrix/state-resolution/api.ts";
import { authDifference } from "../../../src/matrix/state-resolution/auth-difference.ts";
import { authChain, type Citations, citations, graphOf, stateSets } from "./arbitrary-auth-graph.ts";

const ascending = (nids: Iterable<EventNid>) => [...new Set(nids)].sort((a, b) => a - b);

const withoutReading = (sets: StateSets): StateSets => ({
  ...sets,
  unconflicted: {
    ...sets.unconflicted,
    events: () => {
      throw new Error("All that the sets agree on was read.");
    },
  },
});

/** By the definition: what is in the union of the full auth chains and not in their intersection. */
function naiveDifference(sets: readonly ReadonlyMap<string, EventNid>[], cited: Citations): EventNid[] {
  const chains = sets.map((set) => {
    const chain = new Set(set.values());
    for (const nid of set.values()) for (const other of authChain(nid, cited)) chain.add(other);
    return chain;
  });
  const conflicted = new Set(stateSets(sets).conflicted.flatMap(({ events }) => events));
  return ascending(chains.flatMap((chain) => [...chain])).filter(
    (nid) => !conflicted.has(nid) && !chains.every((chain) => chain.has(nid)),
  );
}

/** Each event has one state key; each set has some event for some of the keys, mostly what others have too. */
const arbitrarySets = (maxSets: number) =>
  citations.chain((cited) =>
    fc.record({
      cited: fc.constant(cited),
      common: fc.uniqueArray(fc.nat(cited.length - 1), { maxLength: 6 }),
      own: fc.array(fc.uniqueArray(fc.nat(cited.length - 1), { maxLength: 5 }), { maxLength: maxSets }),
      leftOut: fc.array(fc.nat(6), { maxLength: 3 }),
    }),
  );

function setsOf(common: readonly number[], own: readonly (readonly number[])[]): Map<string, EventNid>[] {
  return own.map((indices) => new Map([...common, ...indices].map((index) => [`${index % 12}`, index + 1])));
}

describe.each([4, 70])("for up to %i sets", (maxSets) => {
  test("it is what the definition says, whatever it is told beforehand", () => {
    let found = 0;
    fc.assert(
      fc.property(arbitrarySets(maxSets), ({ cited, common, own, leftOut }) => {
        const maps = setsOf(common, own);
        const sets = stateSets(maps);
        const want = naiveDifference(maps, cited);
        const some = [...sets.unconflicted.events()].filter((_, index) => !leftOut.includes(index));
        for (const agreed of [[], some]) {
          expect(ascending(authDifference(sets, graphOf(cited), agreed))).toEqual(want);
        }
        found += want.length;
      }),
    );
    expect(found).toBeGreaterThan(0);
  });
});

test("sets that are alike have none", () => {
  fc.assert(
    fc.property(arbitrarySets(2), ({ cited, common }) => {
      const [map] = setsOf(common, [[]]);
      const sets = withoutReading(stateSets([map!, map!, map!]));
      expect(authDifference(sets, graphOf(cited))).toEqual([]);
    }),
  );
});

// The three graphs of AuthChainDifferenceTestCase in tests/state/test_v2.py of element-hq/synapse, with a to e as 1
// to 5. The differences there hold conflicted events, which are left out here, and nothing else.
test.each<[cited: Citations, sets: [string, EventNid][][]]>([
  [
    [[], [1], [2]],
    [
      [
        ["a", 1],
        ["b", 2],
      ],
      [["c", 3]],
    ],
  ],
  [
    [[], [1], [2], [3]],
    [
      [
        ["a", 1],
        ["b", 2],
      ],
      [
        ["c", 3],
        ["d", 4],
      ],
    ],
  ],
  [
    [[], [1], [2], [3], [3, 2]],
    [
      [
        ["a", 1],
        ["b", 2],
        ["e", 5],
      ],
      [
        ["c", 3],
        ["d", 4],
      ],
    ],
  ],
])("%j has no difference but conflicted events", (cited, sets) => {
  expect(authDifference(stateSets(sets.map((set) => new Map(set))), graphOf(cited))).toEqual([]);
});

describe("what the sets agree on", () => {
  // 1 create, 2 member, 3 power levels, 4 another power levels, 5 a topic by whoever has a member event in 2.
  const cited = [[], [1], [1, 2], [1, 2, 3], [1, 2, 4]];
  const graph = graphOf(cited);
  const agreed: [string, EventNid][] = [
    ["create", 1],
    ["member", 2],
    ["levels", 4],
  ];
  const sets = stateSets([new Map(agreed), new Map([...agreed, ["topic", 5]])]);

  test("is never in the difference, nor what it cites", () => {
    expect(authDifference(sets, graph)).toEqual([]);
  });

  test("is not read when it is known to hold what conflicted events cite", () => {
    expect(authDifference(withoutReading(sets), graph, [1, 2, 4])).toEqual([]);
  });

  test("is read when it may hold what only some sets are known to reach", () => {
    expect(() => authDifference(withoutReading(sets), graph, [1, 4])).not.toThrow();
    expect(() => authDifference(withoutReading(sets), graph, [1, 2])).toThrow("was read");
  });
});
