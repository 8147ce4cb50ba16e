import { badJson } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { compareCodePoints, encodeUtf8, hasLoneSurrogate } from "./utf8.ts";

/**
 * `strict`: integers within ±(2^53 − 1) only. `lenient`: any finite number, for room versions 1 to 5, whose
 * servers must not insist, and for JSON that others made and signed.
 */
export type NumberRule = "strict" | "lenient";

/**
 * How deep arrays and objects may be nested. The spec sets no limit, but every parser has one and an event
 * must not overflow a stack here. This is what serde_json takes, so that an event which Rust homeservers
 * accept is not refused.
 */
export const maxJsonDepth = 127;

// What JSON.stringify would leave as it is: asking first is twice as fast, and nearly all strings are such.
const needsCare = /[^ !#-[\]-~]/;

/**
 * The one JSON text of a value that is hashed and signed: keys by code point, no white space, the shortest
 * escapes. Members that are undefined are left out, and a negative zero is written `0`.
 *
 * A number is all that is left of its text: in the lenient form, `1.0` comes out as `1` and an integer past
 * 2^53 with the digits of its double. For events whose sender has signed another spelling there is written-numbers.ts.
 * @throws {MatrixError} M_BAD_JSON (400) for a number against the rule, a lone surrogate, nesting deeper than
 *   `maxJsonDepth`, and what is not JSON at all
 * @see https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function canonicalJson(value: JsonValue, numbers: NumberRule = "strict"): string {
  return serialize(value, numbers, 0);
}

/** `canonicalJson` in UTF-8: the bytes to hash or sign. Throws as it does. */
export function canonicalBytes(value: JsonValue, numbers: NumberRule = "strict"): Uint8Array<ArrayBuffer> {
  return encodeUtf8(canonicalJson(value, numbers));
}

function serialize(value: JsonValue | undefined, numbers: NumberRule, depth: number): string {
  switch (typeof value) {
    case "string":
      return serializeString(value);
    case "number":
      return serializeNumber(value, numbers);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depth === maxJsonDepth) throw badJson(`JSON is nested deeper than ${maxJsonDepth} levels.`);
      return Array.isArray(value)
        ? serializeArray(value, numbers, depth + 1)
        : serializeObject(value, numbers, depth + 1);
    default:
      throw badJson(`JSON has no value of the type ${typeof value}.`);
  }
}

function serializeArray(array: JsonValue[], numbers: NumberRule, depth: number): string {
  let text = "[";
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ",";
    text += serialize(array[index], numbers, depth);
  }
  return `${text}]`;
}

function serializeObject(object: JsonObject, numbers: NumberRule, depth: number): string {
  let text = "";
  for (const key of sortedKeys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    text += `${text === "" ? "{" : ","}${serializeString(key)}:${serialize(value, numbers, depth)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** What was parsed from canonical JSON is sorted already, so that is looked at first. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    if (compareCodePoints(keys[index - 1]!, keys[index]!) > 0) return keys.sort(compareCodePoints);
  }
  return keys;
}

function serializeString(text: string): string {
  if (!needsCare.test(text)) return `"${text}"`;
  const quoted = JSON.stringify(text);
  // JSON.stringify writes half a pair as an escape, so that most texts need no second look.
  if (quoted.includes("\\ud") && hasLoneSurrogate(text)) {
    throw badJson("A string holds half of a surrogate pair, which is not Unicode.");
  }
  return quoted;
}

function serializeNumber(value: number, numbers: NumberRule): string {
  // String(-0) is "0", as the spec's own example has it.
  if (Number.isSafeInteger(value)) return String(value);
  if (numbers === "strict") {
    throw badJson(`${value} is not an integer within ±(2^53 − 1), the only numbers that Matrix signs.`);
  }
  if (!Number.isFinite(value)) throw badJson(`${value} is not a JSON number.`);
  // Without an exponent, which String would write from 1e21 on.
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
