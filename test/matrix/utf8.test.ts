import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareCodePoints, hasLoneSurrogate, utf8Length } from "../../src/matrix/utf8.ts";
import { unicodeText } from "./arbitraries.ts";

const anyUnits = fc.array(fc.nat(0xffff), { maxLength: 12 }).map((units) => String.fromCharCode(...units));
const surrogates = fc
  .array(fc.constantFrom("\ud800", "\udbff", "\udc00", "\udfff", "a", "\ue000"), { maxLength: 8 })
  .map((units) => units.join(""));

describe("utf8Length", () => {
  test.each([
    ["", 0],
    ["\u007f", 1],
    ["\u0080", 2],
    ["\u07ff", 2],
    ["\u0800", 3],
    ["\uffff", 3],
    ["\u{10000}", 4],
    ["\ud800", 3],
  ])("of %j is %d", (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
  });

  test("property: is what an encoder writes, of any string", () => {
    fc.assert(
      fc.property(fc.oneof(anyUnits, surrogates, unicodeText), (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text, "utf8"));
      }),
    );
  });
});

describe("hasLoneSurrogate", () => {
  test.each([
    ["\ud83d\ude00", false],
    ["\ud83d", true],
    ["\ude00\ud83d", true],
    ["plain", false],
  ])("of %j is %s", (text, lone) => {
    expect(hasLoneSurrogate(text)).toBe(lone);
  });
});

test("property: compareCodePoints orders as the bytes of UTF-8 do", () => {
  fc.assert(
    fc.property(unicodeText, unicodeText, (a, b) => {
      const bytewise = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareCodePoints(a, b))).toBe(bytewise);
    }),
  );
});
