import { encodeBase64Url } from "./base64.ts";
import { canonicalJson } from "./canonical-json.ts";
import { sha256 } from "./hashes.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { stringEnd } from "./json-text.ts";
import { encodeUtf8 } from "./utf8.ts";

// In room versions 1 to 5 events may hold any number, and servers sign what Python makes of them: `1.0` and `1e3` come out
// as 1.0 and 1000.0, and integers with all their digits. JavaScript has one 1, so these numbers are kept as texts until the
// canonical JSON is there. Values that people work with are read as ever.

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const odd = /[.eE]|^-0$/;
const maybeOdd = /\d[.eE]|-0|\d{16}/;

/** The numbers of one JSON text that JavaScript would write in another way, each in place as a string. */
export type WrittenNumbers = {
  /** The parsed text. Only for `bytesOf` and `textOf`, of the whole or of what is left when parts are taken away. */
  readonly value: JsonObject;
  textOf(value: JsonValue): string;
  bytesOf(value: JsonValue): Uint8Array<ArrayBuffer>;
};

/**
 * @param text - JSON that has been found to be an object by `parseJsonText`
 * @returns undefined where all numbers are such that `canonicalJson` writes them as others do
 */
export function readWrittenNumbers(text: string): WrittenNumbers | undefined {
  // Hardly any event has one.
  if (!maybeOdd.test(text)) return undefined;
  // No text can hold its own hash, and so none of its strings is taken for a number.
  const mark = encodeBase64Url(sha256(encodeUtf8(text)));
  let marked = "";
  let copied = 0;
  for (let index = 0; index < text.length; ) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) index = stringEnd(text, index);
    else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      number.lastIndex = index;
      const token = number.exec(text)?.[0] ?? text[index]!;
      const end = index + token.length;
      if (odd.test(token) || !Number.isSafeInteger(Number(token))) {
        marked += `${text.slice(copied, index)}"${mark}${asPython(token)}"`;
        copied = end;
      }
      index = end;
    } else index++;
  }
  if (copied === 0) return undefined;
  const value = JSON.parse(marked + text.slice(copied)) as JsonObject;
  const marks = new RegExp(`"${mark}([^"]*)"`, "g");
  const textOf = (part: JsonValue) => canonicalJson(part, "lenient").replace(marks, "$1");
  return { value, textOf, bytesOf: (part) => encodeUtf8(textOf(part)) };
}

/** As Python's `json` writes what it has read: integers as they are, others by `repr` of the double. */
function asPython(token: string): string {
  if (!/[.eE]/.test(token)) return token === "-0" ? "0" : token;
  const value = Number(token);
  // The shortest digits that are this double, as Python's are.
  const [mantissa = "", power = ""] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (exponent >= 16 || exponent < -4) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}
