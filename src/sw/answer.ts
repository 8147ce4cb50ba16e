import { MatrixError, unknown } from "../matrix/errors.ts";
import { Content, Reply } from "./endpoint.ts";
import { requestIdHeader } from "./request-id.ts";

/**
 * Given to every answer, so that clients from other origins can read it.
 * @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
const everyAnswer = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
  "Access-Control-Allow-Headers": `X-Requested-With, Content-Type, Authorization, ${requestIdHeader}`,
  "Access-Control-Expose-Headers": "Retry-After",
  "Cache-Control": "no-store",
};

/** The answer to a CORS preflight: nothing is done on one, whatever its path. */
export const preflightAnswer = () => new Response(null, { status: 204, headers: everyAnswer });

/** @param result - what a handler returned: JSON as bytes, a Reply, Content, or a value to be written as JSON */
export function answer(result: unknown): Response {
  if (result instanceof Content) {
    return new Response(result.body, {
      status: result.status,
      headers: { ...everyAnswer, ...result.headers },
    });
  }
  if (result instanceof Reply) return respond(result.status, result.body, result.headers);
  return respond(200, result, {});
}

/**
 * Every error becomes an answer here and nowhere else. What is no MatrixError is a defect of this homeserver:
 * it goes to the console, and the client learns only that it happened.
 * @param refusal - the endpoint's own way to write errors, undefined for one that is as everywhere
 * @see https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
export function errorAnswer(
  error: unknown,
  refusal?: (error: MatrixError) => Reply | Content | undefined,
): Response {
  const matrixError = error instanceof MatrixError ? error : (passing(error) ?? defect(error));
  const written = refusal?.(matrixError);
  if (written !== undefined) return answer(written);
  const wait = matrixError.extra.retry_after_ms;
  if (typeof wait !== "number") return respond(matrixError.status, matrixError, {});
  return respond(matrixError.status, matrixError, { "Retry-After": String(Math.ceil(wait / 1000)) });
}

/** Storage's own errors: nothing was done, and the same request may succeed in a moment. */
function passing(error: unknown): MatrixError | undefined {
  const name = error instanceof Error ? error.name : "";
  if (name !== "LeaderFenced" && name !== "CommitSuperseded") return undefined;
  return unavailable("This homeserver is moving to another tab. Please try again.");
}

/** The answer of the homeserver while it is not there: never a hang, and a time after which to try again. */
export const unavailable = (why: string) => new MatrixError("M_UNKNOWN", 503, why, { retry_after_ms: 1000 });

function defect(error: unknown): MatrixError {
  console.error("hearth: a request failed unexpectedly", error);
  return unknown("Something went wrong inside this homeserver; its console says more.");
}

function respond(status: number, body: unknown, headers: Record<string, string>): Response {
  const content = body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body);
  return new Response(content, {
    status,
    headers: { ...everyAnswer, "Content-Type": "application/json", ...headers },
  });
}
