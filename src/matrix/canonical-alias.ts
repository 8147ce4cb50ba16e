import { badJson } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * The aliases in the content of `m.room.canonical_alias`: texts, which may be no aliases. What is of the wrong type
 * names none.
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias
 */
export function namedAliases({ alias, alt_aliases: alternatives }: JsonObject): string[] {
  // Some clients take an alias away with an empty one.
  const main = alias === "" ? undefined : alias;
  return [main, ...(Array.isArray(alternatives) ? alternatives : [])].filter(isText);
}

/** @throws MatrixError M_BAD_JSON (400) for a content with members of the wrong type */
export function checkAliasContent({ alias, alt_aliases: alternatives }: JsonObject): void {
  const isAbsent = alias === undefined || alias === null;
  if (!isAbsent && !isText(alias)) throw badJson('"alias" must be a string.');
  const isList = Array.isArray(alternatives) && alternatives.every(isText);
  if (alternatives !== undefined && !isList) throw badJson('"alt_aliases" must be a list of strings.');
}

const isText = (value: JsonValue | undefined): value is string => typeof value === "string";
