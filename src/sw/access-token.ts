import { MatrixError } from "../matrix/errors.ts";

/**
 * The access token of a request, from its `Authorization` header or, deprecated, its query.
 * @returns undefined where there is none
 * @throws {MatrixError} M_MISSING_TOKEN (401) for a header of another scheme, and for both at once
 * @see https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export function accessTokenOf(
  headers: Headers,
  query: Record<string, string | string[]>,
): string | undefined {
  const header = headers.get("Authorization");
  const parameter = query.access_token;
  if (header === null && parameter === undefined) return undefined;
  if (header !== null && parameter !== undefined) {
    throw missingToken("Give the access token in the Authorization header or in the query, not in both.");
  }
  if (header !== null) {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) throw missingToken("The Authorization header should be: Bearer <access token>.");
    return token;
  }
  if (typeof parameter !== "string" || parameter === "") {
    throw missingToken("The query should have one access_token.");
  }
  return parameter;
}

export const missingToken = (why: string) => new MatrixError("M_MISSING_TOKEN", 401, why);
