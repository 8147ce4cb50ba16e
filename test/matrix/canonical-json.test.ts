import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalBytes, canonicalJson, maxJsonDepth } from "../../src/matrix/canonical-json.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/matrix/json.ts";
import vectors from "../vectors/canonical-json.json" with { type: "json" };
import { jsonValue } from "./arbitraries.ts";

/** Slow and plain: code points compared as arrays, every character looked at alone. */
function naive(value: JsonValue): string {
  if (typeof value === "string") return `"${[...value].map(naiveCharacter).join("")}"`;
  if (Array.isArray(value)) return `[${value.map(naive).join(",")}]`;
  if (!isJsonObject(value)) return value === 0 ? "0" : `${value}`;
  const points = (text: string) => [...text].map((c) => c.codePointAt(0)!.toString(16).padStart(6, "0"));
  const keys = Object.keys(value).sort((a, b) => (points(a).join("") < points(b).join("") ? -1 : 1));
  return `{${keys.map((key) => `${naive(key)}:${naive(value[key] ?? null)}`).join(",")}}`;
}

function naiveCharacter(character: string): string {
  const short: Record<string, string> = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
  };
  const code = character.codePointAt(0)!;
  return short[character] ?? (code < 0x20 ? `\\u${code.toString(16).padStart(4, "0")}` : character);
}

function shuffled(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(shuffled);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, shuffled(member ?? null)]));
}

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe("canonicalJson", () => {
  test.each(vectors.cases)("the spec's example: $name", ({ text, canonical }) => {
    expect(canonicalJson(JSON.parse(text))).toBe(canonical);
  });

  test("sorts by code point, where UTF-16 order differs", () => {
    const object = { "\u{1f600}": 1, "\uffff": 2, "\ue000": 3, "\ud7ff": 4, a: 5 };
    expect(canonicalJson(object)).toBe('{"a":5,"\ud7ff":4,"\ue000":3,"\uffff":2,"\u{1f600}":1}');
  });

  test("sorts keys that look like numbers as text, and a prefix first", () => {
    expect(canonicalJson({ 9: 1, 10: 2, ab: 3, a: 4 })).toBe('{"10":2,"9":1,"a":4,"ab":3}');
  });

  test.each([
    ['"', '"\\""'],
    ["\\", '"\\\\"'],
    ["\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'],
    ["\u0000\u000b\u001f", '"\\u0000\\u000b\\u001f"'],
    ["\u007f/\u2028<é\u{1f600}", '"\u007f/\u2028<é\u{1f600}"'],
  ])("escapes %j no more than it must", (text, canonical) => {
    expect(canonicalJson(text)).toBe(canonical);
  });

  test("leaves out undefined members and writes __proto__ as any other key", () => {
    const object = JSON.parse('{"__proto__":1,"b":{}}') as JsonObject;
    object.c = undefined;
    expect(canonicalJson(object)).toBe('{"__proto__":1,"b":{}}');
    expect(canonicalJson({ only: undefined })).toBe("{}");
  });

  test.each([
    [2 ** 53 - 1, "9007199254740991"],
    [-(2 ** 53) + 1, "-9007199254740991"],
    [-0, "0"],
  ])("strict: writes %d", (number, canonical) => {
    expect(canonicalJson(number)).toBe(canonical);
  });

  test.each([2 ** 53, -(2 ** 53), 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY])(
    "strict: refuses %d",
    (number) => {
      expect(() => canonicalJson([number])).toThrow(expect.objectContaining({ errcode: "M_BAD_JSON" }));
    },
  );

  test.each([
    [2 ** 53, "9007199254740992"],
    [1e21, "1000000000000000000000"],
    [-1.5, "-1.5"],
    [-0, "0"],
  ])("lenient: writes %d", (number, canonical) => {
    expect(canonicalJson(number, "lenient")).toBe(canonical);
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])("lenient: refuses %d", (number) => {
    expect(() => canonicalJson(number, "lenient")).toThrow(
      expect.objectContaining({ errcode: "M_BAD_JSON", status: 400 }),
    );
  });

  test.each(["\ud800", "a\udc00b", "\udc00\ud800"])("refuses half a surrogate pair: %j", (text) => {
    const refusal = expect.objectContaining({ errcode: "M_BAD_JSON" });
    expect(() => canonicalJson(text)).toThrow(refusal);
    expect(() => canonicalJson({ [text]: 1 })).toThrow(refusal);
  });

  test("takes a backslash before the letters ud for what it is", () => {
    expect(canonicalJson("\\ud800")).toBe('"\\\\ud800"');
  });

  test("goes as deep as the limit and no deeper", () => {
    expect(canonicalJson(nested(maxJsonDepth))).toContain("1");
    const refusal = expect.objectContaining({ errcode: "M_BAD_JSON" });
    expect(() => canonicalJson(nested(maxJsonDepth + 1))).toThrow(refusal);
    expect(() => canonicalJson(nested(100_000))).toThrow(refusal);
  });

  test.each([[() => 1], [1n], [Symbol("a")], [undefined]])("refuses what is not JSON: %s", (value) => {
    // @ts-expect-error: types forbid it, and a caller without them gets an answer too
    const attempt = () => canonicalJson([value]);
    expect(attempt).toThrow(expect.objectContaining({ errcode: "M_BAD_JSON" }));
  });

  test("property: agrees with the naive form, is stable, and forgets the order of insertion", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const text = canonicalJson(value);
        expect(text).toBe(naive(value));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });
});

test("canonicalBytes is the text in UTF-8", () => {
  expect(new TextDecoder().decode(canonicalBytes({ b: "é\u{1f600}", a: 1 }))).toBe(
    '{"a":1,"b":"é\u{1f600}"}',
  );
});
