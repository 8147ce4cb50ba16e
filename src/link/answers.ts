import { MatrixError, unknown } from "../matrix/errors.ts";
import { encodeUtf8 } from "../matrix/utf8.ts";
import type { LinkHeaders, LinkRequest, LinkResponse } from "./api.ts";
import { bodyOf } from "./bodies.ts";

/** @param body - is written as JSON */
export const jsonAnswer = (body: unknown, status = 200, headers: LinkHeaders = []): LinkResponse =>
  bytesAnswer(encodeUtf8(JSON.stringify(body)), status, [["content-type", "application/json"], ...headers]);

export const bytesAnswer = (bytes: Uint8Array, status: number, headers: LinkHeaders): LinkResponse => ({
  status,
  headers: [...headers, ["content-length", String(bytes.length)]],
  body: bodyOf(bytes),
});

/** What is no MatrixError is a defect of this homeserver, and told to its console alone. */
export function errorAnswer(error: unknown): LinkResponse {
  if (error instanceof MatrixError) return jsonAnswer(error, error.status);
  console.error("hearth: a request of another server failed unexpectedly", error);
  return errorAnswer(unknown("Something went wrong inside this homeserver."));
}

/** All values of a header. */
export const headerOf = ({ headers }: Pick<LinkRequest, "headers">, wanted: string): string[] =>
  headers.flatMap(([name, value]) => (name === wanted ? [value] : []));
