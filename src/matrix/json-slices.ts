import { badJson, notJson } from "./errors.ts";
import { parseOnly, stringEnd } from "./json-text.ts";

// A transaction or the answer to a join holds many events, and each is judged by its own text and its own
// room version: one that says `1.0` is dropped alone. So the outer JSON is cut up without being parsed.

/**
 * The texts of an array's elements, as they were written.
 * @returns texts that need not be JSON themselves: parse each with `parseJsonText`
 * @throws {MatrixError} M_NOT_JSON (400) when the text is not an array
 */
export function sliceElements(text: string): string[] {
  const elements: string[] = [];
  walk(text, "[", "]", (start) => {
    const end = valueEnd(text, start);
    elements.push(text.slice(start, end));
    return end;
  });
  return elements;
}

/**
 * The texts of an object's values by key, as they were written. Only this level's keys are decoded.
 * @returns texts that need not be JSON themselves: parse each with `parseJsonText`
 * @throws {MatrixError} M_NOT_JSON (400) when the text is not an object; M_BAD_JSON (400) for a key twice
 */
export function sliceMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  walk(text, "{", "}", (start) => {
    const keyEnd = stringEnd(text, start);
    const key = text[start] === '"' ? parseOnly(text.slice(start, keyEnd)) : undefined;
    const colon = skipSpace(text, keyEnd);
    if (typeof key !== "string" || text[colon] !== ":") throw notJson("A member of an object is not JSON.");
    if (members.has(key)) throw badJson("An object has the same key twice.");
    const valueStart = skipSpace(text, colon + 1);
    const end = valueEnd(text, valueStart);
    members.set(key, text.slice(valueStart, end));
    return end;
  });
  return members;
}

/** Goes from item to item; `item` is told where one starts and says where it ends. */
function walk(text: string, open: string, close: string, item: (start: number) => number): void {
  let index = skipSpace(text, 0);
  if (text[index] !== open) throw notJson(`JSON that starts with ${open} was expected.`);
  index = skipSpace(text, index + 1);
  if (text[index] !== close) {
    index = skipSpace(text, item(index));
    while (text[index] === ",") index = skipSpace(text, item(skipSpace(text, index + 1)));
  }
  if (text[index] !== close || skipSpace(text, index + 1) !== text.length) {
    throw notJson(`JSON that ends with ${close} was expected.`);
  }
}

function skipSpace(text: string, start: number): number {
  let index = start;
  while (" \t\n\r".includes(text[index] ?? "x")) index++;
  return index;
}

/** Where the value that starts at `start` ends. Brackets are counted, not matched: its own parse does that. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  let index = start;
  do {
    const character = text[index];
    if (character === '"') index = stringEnd(text, index);
    else if (character === "{" || character === "[") {
      depth++;
      index++;
    } else if (character === "}" || character === "]") {
      depth--;
      index++;
    } else if (depth > 0) index++;
    else index = scalarEnd(text, index);
  } while (depth > 0 && index < text.length);
  if (index === start || depth !== 0) throw notJson("A value is missing or does not end.");
  return index;
}

function scalarEnd(text: string, start: number): number {
  let index = start;
  while (index < text.length && !" \t\n\r,]}".includes(text[index]!)) index++;
  return index;
}
