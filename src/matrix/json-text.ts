import { maxJsonDepth } from "./canonical-json.ts";
import { badJson, notJson } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import { hasLoneSurrogate } from "./utf8.ts";

/** What JSON.parse does not show: how the numbers were written, how many members there were. */
type Lexis = { members: number; complaint: string | undefined };

const mayHoldSurrogates = /[\ud800-\udfff]|\\u[dD][89a-fA-F]/;
const integer = /^-?\d+$/;

/**
 * Parses JSON from outside where the text matters and not only its value: `JSON.parse` reads `1.0` and `1`
 * alike and takes the last of two equal keys, so that two servers could see two events in one text.
 *
 * `__proto__` becomes an ordinary own member. NUL is let through: canonical JSON has an escape for it
 * (`\u0000`), and it is identifiers that must not hold it, which their parsers see to.
 * @param text - decode it with `fatal: true`, or broken UTF-8 has turned into U+FFFD before it gets here
 * @param options.integersOnly - numbers as canonical JSON writes them: no `1.0`, `1e2` or `-0`, nothing past
 *   ±(2^53 − 1). For events from room version 6 on, by `strictCanonicalJson` of its rules.
 * @throws {MatrixError} M_NOT_JSON (400) for what is not JSON; M_BAD_JSON (400) for equal keys in an object, a
 *   lone surrogate, nesting deeper than `maxJsonDepth`, a number too big for any double or against the option
 * @see https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function parseJsonText(text: string, options: { integersOnly: boolean }): JsonValue {
  const lexis = scan(text, options.integersOnly);
  const value = parseOnly(text);
  if (lexis.complaint !== undefined) throw badJson(lexis.complaint);
  if (countMembers(value, mayHoldSurrogates.test(text)) !== lexis.members) {
    throw badJson("An object has the same key twice.");
  }
  return value;
}

/** `JSON.parse` with the protocol's error, M_NOT_JSON (400). */
export function parseOnly(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson("This is not JSON.");
    throw error;
  }
}

/** Where the string that starts at `start` ends: the index after its closing quote, or the end of the text. */
export function stringEnd(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslash = quote;
  while (text.charCodeAt(backslash - 1) === 0x5c) backslash--;
  return (quote - backslash) % 2 === 1;
}

/**
 * Goes over the tokens, valid JSON or not. Depth is refused at once, before a parser can overflow; a complaint
 * waits until the text has proved to be JSON.
 */
function scan(text: string, integersOnly: boolean): Lexis {
  const lexis: Lexis = { members: 0, complaint: undefined };
  let depth = 0;
  let index = 0;
  while (index < text.length) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) {
      index = stringEnd(text, index);
    } else if (startsNumber(unit)) {
      const end = numberEnd(text, index);
      lexis.complaint ??= numberComplaint(text.slice(index, end), integersOnly);
      index = end;
    } else {
      if (unit === 0x7b || unit === 0x5b) {
        if (++depth > maxJsonDepth) throw badJson(`JSON is nested deeper than ${maxJsonDepth} levels.`);
      } else if (unit === 0x7d || unit === 0x5d) depth--;
      else if (unit === 0x3a) lexis.members++;
      index++;
    }
  }
  return lexis;
}

/** `-` or a digit. */
const startsNumber = (unit: number) => unit === 0x2d || (unit >= 0x30 && unit <= 0x39);

function numberEnd(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
  return end;
}

/** A digit or one of `+ - . E e`. */
const isNumberPart = (unit: number) =>
  startsNumber(unit) || unit === 0x2b || unit === 0x2e || unit === 0x45 || unit === 0x65;

function numberComplaint(token: string, integersOnly: boolean): string | undefined {
  const value = Number(token);
  if (!integersOnly) return Number.isFinite(value) ? undefined : "A number is too big.";
  const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token;
  if (!integer.test(token)) return `${shown} is not written as an integer.`;
  if (Object.is(value, -0)) return "Zero has no sign.";
  return Number.isSafeInteger(value) ? undefined : `${shown} is not within ±(2^53 − 1).`;
}

/** Members of a value, all levels together: fewer than its text had when a key came twice. */
function countMembers(value: JsonValue | undefined, checkSurrogates: boolean): number {
  if (typeof value === "string") {
    if (checkSurrogates) requireUnicode(value);
    return 0;
  }
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value) members += countMembers(element, checkSurrogates);
    return members;
  }
  for (const key of Object.keys(value)) {
    if (checkSurrogates) requireUnicode(key);
    members += 1 + countMembers(value[key], checkSurrogates);
  }
  return members;
}

function requireUnicode(text: string): void {
  if (hasLoneSurrogate(text)) throw badJson("A string holds half of a surrogate pair, which is not Unicode.");
}
