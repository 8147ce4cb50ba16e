import { MatrixError } from "../../matrix/errors.ts";
import type { JsonValue } from "../../matrix/json.ts";

/** What a client in a page needs to be let in. @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients */
export const corsHeaders: Readonly<Record<string, string>> = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
  "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization, X-Hearth-Request",
  "Access-Control-Expose-Headers": "Retry-After",
};

export function jsonAnswer(json: JsonValue, status = 200, headers: Record<string, string> = {}): Response {
  return textAnswer(JSON.stringify(json), status, headers);
}

/** @param json - its text: events keep how they were written */
export function textAnswer(json: string, status = 200, headers: Record<string, string> = {}): Response {
  const own = { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" };
  return new Response(json, { status, headers: { ...own, ...headers } });
}

/** @throws whatever is no MatrixError */
export function errorAnswer(error: unknown): Response {
  if (!(error instanceof MatrixError)) throw error;
  return jsonAnswer(error.toJSON(), error.status);
}
