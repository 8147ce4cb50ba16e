import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareChildren, isChild, type SpaceChild } from "../../src/matrix/space-children.ts";

const child = (name: string, content: object = {}, ts = 1): SpaceChild => ({
  sender: "@a:h",
  state_key: `!${name}:example.org`,
  content: { via: ["example.org"], ...content },
  origin_server_ts: ts,
});
const sorted = (children: SpaceChild[]) =>
  [...children].sort(compareChildren).map(({ state_key }) => state_key?.slice(1, 2));

describe("the order of children", () => {
  // The example of https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space
  const example = [
    child("b", { order: " " }, 1640341000000),
    child("a", { order: "aaaa" }, 1640141000000),
    child("c", { order: "first" }, 1640841000000),
    child("e", {}, 1640641000000),
    child("d", {}, 1640741000000),
  ];

  test("is that of the specification's example, however they come", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(example, { minLength: 5 }), (children) => {
        expect(sorted(children)).toEqual(["b", "a", "c", "e", "d"]);
      }),
    );
  });

  test.each([
    [
      "the time decides between the same order",
      [child("a", { order: "x" }, 2), child("b", { order: "x" }, 1)],
    ],
    ["the room id decides at the same time", [child("c"), child("b")]],
    [
      "an order that is too long is none",
      [child("a", { order: "a".repeat(51) }), child("b", { order: "z" })],
    ],
    ["an order of other characters is none", [child("a", { order: "ä" }), child("b", { order: "z" })]],
    ["an order that is no text is none", [child("a", { order: 1 }), child("b", { order: "z" })]],
    ["an empty order is none", [child("a", { order: "" }), child("b", { order: "z" })]],
    ["the longest order counts", [child("c", { order: `${"z".repeat(49)}~` }), child("b", { order: "z" })]],
  ])("%s", (_, children) => {
    expect(sorted(children)[0]).toBe("b");
  });

  test("is total: any two that are not the same room are apart", () => {
    const some = fc.record({
      name: fc.constantFrom("a", "b", "c"),
      order: fc.option(fc.constantFrom("x", "y", "ä"), { nil: undefined }),
      ts: fc.nat(2),
    });
    const made = some.map(({ name, order, ts }) => child(name, order === undefined ? {} : { order }, ts));
    fc.assert(
      fc.property(made, made, made, (a, b, c) => {
        const signs = [compareChildren(a, b), compareChildren(b, a)].map(Math.sign);
        expect(signs[0]! + signs[1]!).toBe(0);
        if (a.state_key !== b.state_key) expect(signs[0]).not.toBe(0);
        if (compareChildren(a, b) <= 0 && compareChildren(b, c) <= 0) {
          expect(compareChildren(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});

test.each<[string, SpaceChild, boolean]>([
  ["with a server to go through", child("a"), true],
  ["with an empty list", child("a", { via: [] }), false],
  ["with something else in the list", child("a", { via: ["h", 1] }), false],
  ["with a text for a list", child("a", { via: "h" }), false],
  ["with a state key that is no room id", { ...child("a"), state_key: "a" }, false],
  ["with a content of 5,000 characters", child("a", { note: "x".repeat(5_000) }), false],
])("an event %s makes a child: %s", (_, event, expected) => {
  expect(isChild(event)).toBe(expected);
});
