import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { containsGlob, containsLiteral, matchesGlob } from "../../../src/matrix/push-rules/glob.ts";

describe("a glob that must match the whole value", () => {
  test.each([
    // The spec's example.
    ["lunc?*", "Lunch plans", true],
    ["lunc?*", "LUNCH", true],
    ["lunc?*", " lunch", false],
    ["lunc?*", "lunc", false],
    ["m.notice", "m.notice", true],
    ["m.notice", "m.notices", false],
    ["m.notice", "m-notice", false],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "two\nlines", true],
    ["?", "🔥", true],
    ["?", "🔥🔥", false],
    ["*b*", "abc", true],
    ["*b*", "acc", false],
    ["a[b]+", "a[b]+", true],
    ["a[b]+", "abb", false],
  ])("%j against %j: %j", (pattern, text, want) => expect(matchesGlob(pattern, text)).toBe(want));

  test("agrees with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(letters, text, (pattern, value) => {
        const regex = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
        expect(matchesGlob(pattern, value)).toBe(regex.test(value));
      }),
    );
  });

  test("many stars do not take for ever", () => {
    expect(matchesGlob("*a".repeat(40), "a".repeat(20_000))).toBe(true);
    expect(matchesGlob(`${"*a".repeat(40)}b`, "a".repeat(20_000))).toBe(false);
  });
});

describe("a glob that must match whole words", () => {
  test.each([
    // The spec's example.
    ["ex*ple", "An example event.", true],
    ["ex*ple", "exple", true],
    ["ex*ple", "An exciting triple-whammy", true],
    ["cake", "piece of cake", true],
    ["cake", "cake!", true],
    ["cake", "CAKE", true],
    ["cake", "cakes", false],
    ["cake", "pancake", false],
    ["cake", "pan_cake", false],
    ["cake", "cakes and cake", true],
    ["cake", "pan-cake", true],
    ["cak?", "a cake", true],
    ["cak?", "a cakes", false],
    ["@user:foo", "Some @user:foo test", true],
    ["émoi", "quel émoi", true],
  ])("%j in %j: %j", (pattern, text, want) => expect(containsGlob(pattern, text)).toBe(want));
});

test.each([
  ["a*b", "an a*b here", true],
  ["a*b", "an axb here", false],
  ["Bob", "hello bob?", true],
  ["Bob", "hello bobby", false],
])("the literal %j in %j: %j", (word, text, want) => expect(containsLiteral(word, text)).toBe(want));
