import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesWildcards } from "../../src/matrix/wildcards.ts";

test.each<[pattern: string, text: string, matches: boolean]>([
  ["m.room.message", "m.room.message", true],
  ["m.room.message", "m.room.messages", false],
  ["", "", true],
  ["", "a", false],
  ["*", "", true],
  ["*", "m.room.message", true],
  ["m.room.*", "m.room.", true],
  ["m.room.*", "m.roomx", false],
  ["*.message", "m.room.message", true],
  ["*.message", "m.room.messages", false],
  ["m.*.message", "m.room.message", true],
  ["m.*.message", "m.message", false],
  ["a*a", "aa", true],
  ["a*a", "a", false],
  ["a*b*c", "a-b-b-c", true],
  ["a*c*b", "a-b-c", false],
  ["*ab*ab*", "abab", true],
  ["*ab*ab*", "abb", false],
  ["m.room.?essage", "m.room.message", false],
  ["m.r..m", "m.room", false],
])("%j on %j: %s", (pattern, text, matches) => expect(matchesWildcards(pattern, text)).toBe(matches));

test("agrees with a regular expression", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 10 }), (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`).test(text);
      expect(matchesWildcards(pattern, text)).toBe(expected);
    }),
  );
});
