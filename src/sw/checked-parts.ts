import { checkShape } from "../door/check-shape.ts";
import type { parseQuery } from "../door/query.ts";
import { type BodySource, readBody } from "./body.ts";
import type { AnyContext, Description } from "./endpoint.ts";

/**
 * What a request brings along, held to the description of its endpoint.
 * @throws {MatrixError} as `checkShape` and `readBody`
 */
export async function checkedParts(
  description: Description,
  given: { params: Record<string, string>; query: ReturnType<typeof parseQuery>; body: BodySource },
): Promise<Pick<AnyContext, "params" | "query" | "body">> {
  const { params, query, body } = description;
  return {
    params: params && checkShape(params, given.params, "path"),
    query: query && checkShape(query, given.query, "query"),
    body: body && checkShape(body, await readBody(given.body, description), "body"),
  };
}
