import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";

// Characters at the edges of the encodings, beside whatever else comes up.
const edges = [
  "\0",
  "\u001f",
  '"',
  "\\",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
];

/** Well-formed Unicode. */
export const unicodeText: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...edges, "\u{10000}", "\u{10ffff}"),
    fc.string({ unit: "binary", maxLength: 1 }),
  ),
  maxLength: 8,
});

const key = fc.oneof(unicodeText, fc.constantFrom("__proto__", "constructor", "0", "10", "9", "type"));

/** JSON that strict canonical JSON can hold. */
export const { jsonValue, jsonObject } = fc.letrec<{ jsonValue: JsonValue; jsonObject: JsonObject }>(
  (tie) => ({
    jsonValue: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<JsonValue>(null, true, false, -0),
      fc.maxSafeInteger(),
      unicodeText,
      fc.array(tie("jsonValue"), { maxLength: 4 }),
      tie("jsonObject"),
    ),
    // fromEntries defines members, so that __proto__ becomes one.
    jsonObject: fc.array(fc.tuple(key, tie("jsonValue")), { maxLength: 5 }).map(Object.fromEntries),
  }),
);
