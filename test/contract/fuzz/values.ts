import fc from "fast-check";
import type { JsonValue } from "../../../src/matrix/json.ts";

/** Text that goes wrong where somebody has not thought of it. */
export const oddText = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "x\udc00",
    "\u202e",
    "\ufffe",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "../../etc/passwd",
    "%00",
    "%",
    "null",
    "undefined",
    "NaN",
    "-1",
    "1e999",
    "0x10",
    "9007199254740993",
    "@",
    "!",
    "$",
    "#",
    "@:",
    "@bob:elsewhere.example",
    "!room:elsewhere.example",
    "#room:elsewhere.example",
    "$event:elsewhere.example",
    "@bob:elsewhere.example:99999",
    "mxc://elsewhere.example/a",
    "{}",
    "[]",
    "<script>alert(1)</script>",
    "Ω≈ç√",
    "👩‍👩‍👧‍👦",
  ),
  fc.constantFrom(255, 256, 1_000, 70_000).map((length) => "x".repeat(length)),
  fc.constantFrom(64, 300).map((length) => `@${"é".repeat(length)}:elsewhere.example`),
  fc.string({ unit: "binary", maxLength: 20 }),
);

const nested = (depth: number, wrap: (inner: JsonValue) => JsonValue): JsonValue => {
  let value: JsonValue = 1;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
};

/** An object of the members given, also of one named `__proto__`, which a literal would not have. */
const objectOf = (entries: [string, JsonValue][]): JsonValue => Object.fromEntries(entries) as JsonValue;

/** JSON that goes wrong where somebody has not thought of it. */
export const oddValue: fc.Arbitrary<JsonValue> = fc.oneof(
  oddText,
  fc.constantFrom<JsonValue>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    1.5,
    2 ** 53,
    -(2 ** 63),
    1e308,
    [],
    {},
    [[]],
    [null],
    objectOf([["__proto__", { admin: true }]]),
    objectOf([["constructor", { prototype: {} }]]),
    objectOf([["", 1]]),
    objectOf([["a\0b", 1]]),
    objectOf([["\ud800", 1]]),
    objectOf([["toJSON", 1]]),
  ),
  fc.constantFrom(20, 120, 3_000).map((depth) => nested(depth, (inner) => [inner])),
  fc.constantFrom(20, 120, 3_000).map((depth) => nested(depth, (inner) => ({ a: inner }))),
  fc.constantFrom(1_000, 20_000).map((length) => Array.from({ length }, (_, index) => index)),
  fc.constant(objectOf(Array.from({ length: 5_000 }, (_, index) => [`key${index}`, index]))),
  fc.jsonValue({ maxDepth: 3 }).map((value) => value as JsonValue),
);

/** One part of a path as it goes over the wire: never one that would make the URL another path. */
export const oddSegment = fc.oneof(
  fc.constantFrom(
    "%00",
    "%",
    "%zz",
    "%ED%A0%80",
    "%FF",
    "..%2F..",
    "%2F",
    "a%2Fb",
    "%20",
    "%2E%2E%2F",
    ";x=1",
    "a&b=c",
  ),
  oddText
    .filter((text) => !["", ".", ".."].includes(text))
    .map((text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))),
);
