import { type BaseIssue, type GenericSchema, getDotPath, type InferOutput, safeParse } from "valibot";
import { badJson, invalidParam, type MatrixError, missingParam } from "../matrix/errors.ts";

/** Where a value came from, which decides the errcode of a complaint about it. */
export type Origin = "body" | "query" | "path";

/**
 * Holds a value to an endpoint's schema.
 * @throws {MatrixError} M_MISSING_PARAM (400) when a member or parameter is not there; else M_BAD_JSON for a body
 *   and M_INVALID_PARAM for parameters (400), with a sentence that names the member
 */
export function checkShape<S extends GenericSchema>(
  schema: S,
  value: unknown,
  origin: Origin,
): InferOutput<S> {
  const result = safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw complaint(result.issues[0], origin);
}

function complaint(issue: BaseIssue<unknown>, origin: Origin): MatrixError {
  const name = getDotPath(issue) ?? "";
  if (issue.path?.at(-1)?.origin === "key") return missingParam(`"${name}" is missing.`);
  const where = name === "" ? `The ${origin}` : `"${name}"`;
  // Valibot's own messages show values, which may be secrets; a message of a schema's author is a sentence.
  const why =
    issue.kind === "validation" || issue.expected === null
      ? issue.message
      : `should be ${expectation(issue.expected)}`;
  return origin === "body" ? badJson(`${where} ${why}.`) : invalidParam(`${where} ${why}.`);
}

/** Valibot's notation in words: `string`, `Object`, `("a" | "b")`, `(string | undefined)`. */
function expectation(expected: string): string {
  const options = expected
    .replace(/^\((.*)\)$/, "$1")
    .split(" | ")
    .filter((option) => option !== "undefined");
  const words = options.map((option) => names.get(option) ?? option);
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const names = new Map([
  ["string", "a string"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["Object", "an object"],
  ["Array", "an array"],
]);
