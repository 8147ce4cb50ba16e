import { percentDecode } from "./percent-decode.ts";

/**
 * The parameters of a query string: a string each, or an array of strings for one that is repeated.
 * @param search - as `new URL(...).search` gives it
 * @throws {MatrixError} M_INVALID_PARAM (400) for broken percent-encoding: `URLSearchParams` would guess
 */
export function parseQuery(search: string): Record<string, string | string[]> {
  const values = new Map<string, string | string[]>();
  for (const part of search.replace(/^\?/, "").split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? "" : decode(part.slice(equals + 1));
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  return Object.fromEntries(values);
}

const decode = (text: string) => percentDecode(text.replaceAll("+", " "), "The query string");
