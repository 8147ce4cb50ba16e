import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pattern } from "../../../src/matrix/appservices/pattern.ts";

const matches = (pattern: string, text: string) => new Pattern(pattern).matchesStartOf(text);

describe("the patterns of namespaces", () => {
  test.each([
    ["@_irc_.*", "@_irc_bob:h", true],
    ["@_irc_.*", "@bob:h", false],
    ["@_irc_.*", "x@_irc_bob:h", false],
    ["^@telegram_[0-9]+:h\\.example$", "@telegram_17:h.example", true],
    ["^@telegram_[0-9]+:h\\.example$", "@telegram_17:h.example.org", false],
    ["^@telegram_[0-9]+:h\\.example$", "@telegram_x:h.example", false],
    ["@bot", "@bot:h", true],
    ["@(a|b|cd)+:h", "@abcd:h", true],
    ["@(a|b|cd)+:h", "@abc:h", false],
    ["@(?:whats|signal)app_\\d{2,3}:", "@whatsapp_17:", true],
    ["@(?:whats|signal)app_\\d{2,3}:", "@whatsapp_1:", false],
    ["@a{2}b", "@aab", true],
    ["@a{,2}", "@a{,2}", true],
    ["[^@]x", "@x", false],
    ["[]a-c-]+$", "]b-", true],
    ["[[:alpha:]_]+$", "a_B", true],
    ["[[:alpha:]_]+$", "a1", false],
    ["#\\S*?:h", "#é😀:h", true],
    ["😀$", "😀", true],
    ["", "anything", true],
    ["$", "anything", false],
    ["(|a)(b|)$", "ab", true],
  ])("%s on %s", (pattern, text, want) => {
    expect(matches(pattern, text)).toBe(want);
  });

  test.each([
    "(",
    ")",
    "[a",
    "a**",
    "*",
    "^*",
    "a{3,2}",
    "a{1,999}",
    "\\",
    "\\1",
    "\\b",
    "(?=a)",
    "(?!a)",
    "(?i)a",
    "[z-a]",
  ])("%s is refused", (pattern) => {
    expect(() => new Pattern(pattern)).toThrow(expect.objectContaining({ errcode: "M_INVALID_PARAM" }));
  });

  test.each([
    ["sets within sets", "((((a{200}){200}){200}){200})"],
    ["repetitions of nothing", "(((((){255}){255}){255}){255}){255}"],
    ["groups in groups", `${"(".repeat(500)}${")".repeat(500)}`],
    ["much text", "a".repeat(5_000)],
  ])("what is too large is refused: %s", (_, pattern) => {
    expect(() => new Pattern(pattern)).toThrow(expect.objectContaining({ errcode: "M_INVALID_PARAM" }));
  });

  // A hundred steps to a character at most: an engine that goes back would not come to an end here.
  test.each(["(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", "(a?){100}a{100}$"])(
    "%s is as quickly refuted as others",
    (pattern) => {
      const compiled = new Pattern(pattern);
      expect(compiled.size).toBeLessThan(1_000);
      expect(compiled.matchesStartOf("a".repeat(255))).toBe(false);
    },
  );

  test("the same as the language's own engine says, for what both understand", () => {
    const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\.", "c");
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => one + other),
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
        fc
          .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"))
          .map(([one, times]) => `(?:${one})${times}`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "."), maxLength: 8 });
    fc.assert(
      fc.property(pattern, fc.constantFrom("", "$"), text, (source, end, id) => {
        expect(matches(source + end, id)).toBe(new RegExp(`^(?:${source}${end})`, "u").test(id));
      }),
    );
  });
});
