import type { LinkHeaders, LinkRequest, LinkResponse } from "../../link/api.ts";
import { LinkError } from "../../link/api.ts";
import { ignoreFailure } from "../body.ts";
import type { Sessions } from "../sessions/api.ts";
import type { Arrived } from "./arrived.ts";

/** Headers of one connection. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What only the relay may say to a node: who asks. */
const FORWARDING = /^(?:x-forwarded-.*|forwarded|x-real-ip|x-hearth-purpose|x-hearth-egress|via)$/;

/** What a node must not say to a browser, as it would hold for its relay and the nodes beside it as well. */
const NOT_FROM_NODES = new Set([
  ...["set-cookie", "clear-site-data", "strict-transport-security", "alt-svc", "service-worker-allowed"],
  ...["public-key-pins", "nel", "report-to", "refresh"],
]);

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const text = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The request as the node gets it: what it was, without what belongs to the connection, and with the address of who asks.
 * @param body - in place of the one that came
 */
export function requestFor(arrived: Arrived, body: LinkRequest["body"]): LinkRequest {
  const dropped = new Set([...CONNECTION, ...connectionOptions(arrived.headers)]);
  const headers: [string, string][] = [["host", arrived.host]];
  for (const [name, value] of arrived.headers) {
    if (name !== "host" && !dropped.has(name) && !FORWARDING.test(name)) headers.push([name, value]);
  }
  if (arrived.address !== "") headers.push(["x-forwarded-for", arrived.address]);
  return { method: arrived.method, target: arrived.target, headers, body };
}

/** @returns undefined for an answer that cannot be given to anybody; its body is given up then */
export function responseFrom(method: string, answer: LinkResponse): Response | undefined {
  const { status, body } = answer;
  const isWhole = status >= 200 && status <= 599;
  const hasBody = isWhole && method !== "HEAD" && ![204, 205, 304].includes(status);
  if (!hasBody && body !== undefined) ignoreFailure(body.cancel("No body is wanted."));
  if (!isWhole) return undefined;
  return new Response(hasBody ? (body ?? null) : null, { status, headers: headersFrom(answer.headers) });
}

function headersFrom(given: LinkHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of given) {
    const lower = name.toLowerCase();
    if (CONNECTION.includes(lower) || NOT_FROM_NODES.has(lower) || FORWARDING.test(lower)) continue;
    if (token.test(lower) && text.test(value)) headers.append(lower, value);
  }
  if (!headers.has("x-content-type-options")) headers.set("x-content-type-options", "nosniff");
  return headers;
}

function connectionOptions(headers: Headers): string[] {
  return (headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
}

/**
 * Hands a request to the node, and waits for the head of its answer.
 * @param within - milliseconds; the exchange is given up afterwards
 * @returns undefined when the node is away, or has not answered in that time
 */
export async function ask(
  sessions: Sessions,
  node: string,
  request: LinkRequest,
  within: number,
  signal: AbortSignal,
): Promise<LinkResponse | undefined> {
  const waiting = new AbortController();
  const stop = () => waiting.abort(signal.reason);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      // First, so that the answer is that there is none, and not that it was given up.
      resolve(undefined);
      waiting.abort("The node has not answered in time.");
    }, within);
  });
  const answering = sessions.forward(node, request, waiting.signal).catch((error: unknown) => {
    if (error instanceof LinkError || waiting.signal.aborted) return undefined;
    throw error;
  });
  const answer = await Promise.race([answering, late]);
  clearTimeout(timer);
  if (answer === undefined) {
    signal.removeEventListener("abort", stop);
    // It may come all the same: nobody reads it then.
    ignoreFailure(answering.then((response) => response?.body?.cancel("Too late.")));
  }
  return answer;
}
