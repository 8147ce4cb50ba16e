import { RELAY_API, type RelayInfo } from "../../link/relay-api.ts";
import { MatrixError, unknown, unrecognized } from "../../matrix/errors.ts";
import type { IpRange } from "../../matrix/ip-addresses.ts";
import { isServerName } from "../../matrix/server-names.ts";
import { errorFields, type Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Caller, PublicPart } from "./api.ts";
import { callerOf } from "./caller.ts";
import { unlessUnread } from "./unread.ts";

export type PublicParts = {
  info(): RelayInfo;
  health(): Promise<Response>;
  /** Sessions over WebSocket and fetch. */
  link: PublicPart;
  /** Requests for nodes, by their Host. */
  ingress: PublicPart;
  /** The page's files; undefined where there is no page. */
  page: PublicPart | undefined;
  proxies: readonly IpRange[];
  log: Log;
  metrics: Metrics;
};

/** Milliseconds in which some of an answer has to be taken. */
const unread = 60_000;

/** Answers every request over HTTP. Never fails. */
export type PublicHandler = (
  request: Request,
  peer: { address: string; secure: boolean },
) => Promise<Response>;

export function openPublicHandler(parts: PublicParts): PublicHandler {
  return async (request, peer) => {
    const started = performance.now();
    const caller = callerOf(request.headers, peer, parts.proxies);
    const { part, response } = await answer(parts, request, caller);
    const seconds = (performance.now() - started) / 1000;
    parts.metrics.answered(part, response.status, seconds);
    // Paths have user ids and room ids in them: only their beginning is logged.
    const path = URL.parse(request.url)?.pathname.split("/", 5).join("/");
    const fields = {
      method: request.method,
      path,
      status: response.status,
      part,
      ms: Math.round(seconds * 1000),
    };
    parts.log.debug("answered", { request: caller.requestId, address: caller.address, ...fields });
    return response;
  };
}

type Answer = { part: "relay" | "link" | "ingress" | "page"; response: Response };

async function answer(parts: PublicParts, request: Request, caller: Caller): Promise<Answer> {
  let part: Answer["part"] = "relay";
  try {
    const path = checkedPath(request);
    if (path.startsWith(`${RELAY_API}/`)) {
      const own = await ownEndpoint(parts, request, path);
      if (own !== undefined) return { part, response: own };
      part = "link";
      const response = await parts.link(request, caller);
      if (response !== undefined) return { part, response };
      throw unrecognized("The relay has no such endpoint.");
    }
    part = "ingress";
    const forNode = await parts.ingress(request, caller);
    if (forNode !== undefined) return { part, response: readOn(forNode) };
    part = "page";
    const page = await parts.page?.(request, caller);
    if (page !== undefined) return { part, response: page };
    throw unrecognized("There is nothing here.");
  } catch (error) {
    const known = error instanceof MatrixError ? error : undefined;
    if (known === undefined)
      parts.log.error("failed", { request: caller.requestId, part, ...errorFields(error) });
    const said = known ?? unknown("The relay failed. Its log says more.");
    return { part, response: Response.json(said, { status: said.status }) };
  }
}

/**
 * The path, of a request that all who read it will understand alike: what is sent to a proxy (CONNECT, a whole URL),
 * and a Host that is none, is not answered.
 * @throws {MatrixError}
 */
function checkedPath(request: Request): string {
  const url = URL.parse(request.url);
  const host = request.headers.get("host");
  const odd = url === null || request.method === "CONNECT" || request.method === "TRACE";
  if (odd || url.username !== "" || url.password !== "") throw unknown("This is not a proxy.", 400);
  if (host !== null) {
    // The server puts Host into the URL, unless the request line had a URL of its own.
    const same = isServerName(host) && URL.parse(`${url.protocol}//${host}/`)?.host === url.host;
    if (!same) throw unknown("The Host header makes no sense.", 400);
  }
  return url.pathname;
}

async function ownEndpoint(
  parts: PublicParts,
  request: Request,
  path: string,
): Promise<Response | undefined> {
  if (path !== `${RELAY_API}/health` && path !== `${RELAY_API}/info`) return undefined;
  if (request.method !== "GET" && request.method !== "HEAD") throw unrecognized("This is only read.", 405);
  if (path.endsWith("/health")) return parts.health();
  // Pages from anywhere may look for a relay.
  const headers = { "access-control-allow-origin": "*", "cache-control": "no-store" };
  return Response.json(parts.info(), { headers });
}

function readOn(response: Response): Response {
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  return new Response(unlessUnread(response.body, unread), { status, statusText, headers });
}
