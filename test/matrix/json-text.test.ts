import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxJsonDepth } from "../../src/matrix/canonical-json.ts";
import { parseJsonText } from "../../src/matrix/json-text.ts";
import { jsonValue } from "./arbitraries.ts";

const strict = { integersOnly: true };
const lenient = { integersOnly: false };
const badJson = expect.objectContaining({ errcode: "M_BAD_JSON", status: 400 });
const notJson = expect.objectContaining({ errcode: "M_NOT_JSON", status: 400 });

describe("numbers", () => {
  test.each(["0", "7", "-1", "9007199254740991", "-9007199254740991"])("%s is an integer", (text) => {
    expect(parseJsonText(`{"a":[${text}]}`, strict)).toEqual({ a: [Number(text)] });
  });

  test.each(["1.0", "1e2", "1E+2", "-0", "-0.0", "0e0", "9007199254740992", "-9007199254740993", "1e400"])(
    "%s is not one",
    (text) => {
      expect(() => parseJsonText(`{"a":[${text}]}`, strict)).toThrow(badJson);
    },
  );

  test.each(["1.0", "1e2", "-0", "-0.5", "9223372036854775807"])("%s passes where it may", (text) => {
    expect(parseJsonText(`[${text}]`, lenient)).toEqual([Number(text)]);
  });

  test("what overflows a double passes nowhere", () => {
    expect(() => parseJsonText("[1e400]", lenient)).toThrow(badJson);
  });

  test("numbers inside strings and keys are not numbers", () => {
    expect(parseJsonText('{"1.0":"-0 \\" 1e5","b":"\\\\"}', strict)).toEqual({ "1.0": '-0 " 1e5', b: "\\" });
  });
});

describe("what is not JSON", () => {
  test.each([
    "",
    "{",
    "nul",
    "01",
    "+1",
    "-",
    "1.",
    ".5",
    "[1,]",
    '{"a":1,}',
    "{'a':1}",
    '"a\nb"',
    '"unclosed',
    '"\\"',
    "[1] 2",
    "\ufeff{}",
    "NaN",
    '{"a":1.0',
    "{a:1}",
  ])("%j", (text) => {
    expect(() => parseJsonText(text, strict)).toThrow(notJson);
  });
});

describe("keys", () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"a":{},"c":":","a":[]}}]',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])("twice: %s", (text) => {
    expect(() => parseJsonText(text, lenient)).toThrow(badJson);
  });

  test.each(['{"a":{"a":1},"b":{"a":1}}', '[{"a":1},{"a":1}]', '{"a":"a","A":1}'])("once: %s", (text) => {
    expect(parseJsonText(text, lenient)).toEqual(JSON.parse(text));
  });

  test("__proto__ is a member like any other", () => {
    const parsed = parseJsonText('{"__proto__":{"admin":true},"a":1}', strict);
    expect(Object.keys(parsed as object)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect((parsed as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("Unicode", () => {
  test.each([
    '"\\ud800"',
    '"\\uDC00\\uD800"',
    '{"a":["\\udfff"]}',
    '{"\\ud800":1}',
    '"\ud800"',
    '"\\ud83d\\\\ude00"',
  ])("half a pair: %j", (text) => {
    expect(() => parseJsonText(text, lenient)).toThrow(badJson);
  });

  test.each([
    ['"\\ud83d\\ude00"', "\u{1f600}"],
    ['"\ud83d\ude00"', "\u{1f600}"],
    ['"\\\\ud800"', "\\ud800"],
    ['"\\u0000"', "\0"],
    ['{"\\u0000":1}', { "\0": 1 }],
  ])("whole: %j", (text, value) => {
    expect(parseJsonText(text, strict)).toEqual(value);
  });
});

describe("nesting", () => {
  const arrays = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

  test.each([arrays, objects])("as deep as the limit and no deeper", (nest) => {
    expect(parseJsonText(nest(maxJsonDepth), strict)).toEqual(JSON.parse(nest(maxJsonDepth)));
    expect(() => parseJsonText(nest(maxJsonDepth + 1), strict)).toThrow(badJson);
  });

  test("far too deep, whether or not it would end", () => {
    expect(() => parseJsonText("[".repeat(5_000_000), strict)).toThrow(badJson);
  });

  test("width is not depth, nor are brackets in strings", () => {
    const text = `[${Array.from({ length: 1000 }, () => "[{}]").join(",")},"${"[".repeat(1000)}"]`;
    expect(parseJsonText(text, strict)).toEqual(JSON.parse(text));
  });
});

test("backslashes by the thousand are read in one go", () => {
  const text = `["${"\\\\".repeat(200_000)}","${'\\"'.repeat(200_000)}"]`;
  expect(parseJsonText(text, strict)).toEqual(JSON.parse(text));
});

test("property: agrees with JSON.parse on all that canonical JSON can hold", () => {
  fc.assert(
    fc.property(jsonValue, fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(parseJsonText(text, strict)).toEqual(JSON.parse(text));
    }),
  );
});

test("property: whatever the text, the answer is JSON.parse's or a MatrixError", () => {
  const garbage = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0d8-.1e tn', "null") });
  fc.assert(
    fc.property(garbage, (text) => {
      let parsed: unknown;
      try {
        parsed = parseJsonText(text, lenient);
      } catch (error) {
        expect(error).toMatchObject({ errcode: expect.stringMatching(/^M_(BAD|NOT)_JSON$/) });
        return;
      }
      expect(parsed).toEqual(JSON.parse(text));
    }),
  );
});
