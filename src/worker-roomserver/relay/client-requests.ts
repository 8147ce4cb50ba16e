import { headerOf } from "../../link/answers.ts";
import type { LinkHandler, LinkHeaders, LinkRequest } from "../../link/api.ts";
import { BodyTooLong, readBody } from "../../link/bodies.ts";
import { invalidParam, MatrixError, tooLarge } from "../../matrix/errors.ts";
import { isServerName } from "../../matrix/server-names.ts";
import { RELAY_MARK, RELAY_UNLIMITED, RELAYED_BASE, RELAYED_STATUS } from "./api.ts";

/** Where a browser cannot send a body piece by piece. The largest are uploads of media. */
const MAX_WHOLE_BODY = 100 * 1024 * 1024;

export type ClientRequestOptions = {
  /** The worker's own `fetch`, which the service worker answers. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Of the page. */
  origin: string;
  /** See `RELAY_MARK`. */
  mark: string;
  /** How the relay is reached: as it is, so is the homeserver through it. */
  scheme: "https:" | "http:";
  /** Whether such clients are limited; asked each time. */
  isLimited: () => boolean;
};

/**
 * Has the service worker answer what a client elsewhere asks, as it answers pages; but marked, so that it is never taken
 * for one: rate limits apply, and no page's session or cookie goes along.
 */
export function clientRequests(options: ClientRequestOptions): LinkHandler {
  const { fetch, origin, mark, scheme, isLimited } = options;
  return async (request, signal) => {
    const headers = new Headers();
    for (const [name, value] of request.headers) {
      // Whatever this project means something by is not for others to say, but for the name of a request.
      if (name.startsWith("x-hearth-") && name !== "x-hearth-request") continue;
      // What it is for is said by the base.
      if (name !== "host") headers.append(name, value);
    }
    headers.set(RELAY_MARK, mark);
    headers.set(RELAYED_BASE, baseOf(request, scheme));
    if (!isLimited()) headers.set(RELAY_UNLIMITED, "yes");
    const response = await fetch(origin + request.target, {
      method: request.method,
      headers,
      ...(await bodyFor(request)),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      signal,
    });
    const status = Number(response.headers.get(RELAYED_STATUS) ?? 0);
    if (status === 0) {
      await response.body?.cancel();
      throw new MatrixError("M_UNKNOWN", 503, "This homeserver's page has to be loaded again.");
    }
    const answered: LinkHeaders = [...response.headers].filter(([name]) => name !== RELAYED_STATUS);
    return { status, headers: answered, ...(response.body && { body: response.body }) };
  };
}

/** The relay sends on nothing that names no host. */
function baseOf(request: LinkRequest, scheme: string): string {
  const [host] = headerOf(request, "host");
  if (!isServerName(host)) throw invalidParam("The request does not say which host it is for.");
  return `${scheme}//${host}`;
}

/** `duplex` is not among what TypeScript knows of a request. */
type Body = Pick<RequestInit, "body"> & { duplex?: "half" };

async function bodyFor({ method, body }: LinkRequest): Promise<Body> {
  if (body === undefined || method === "GET" || method === "HEAD") return {};
  if (canStream()) return { body, duplex: "half" };
  try {
    return { body: await readBody(body, MAX_WHOLE_BODY) };
  } catch (error) {
    throw error instanceof BodyTooLong ? tooLarge(error.message) : error;
  }
}

let streaming: boolean | undefined;

/** Where it cannot, a browser makes the text "[object ReadableStream]" of it, which has a type. */
function canStream(): boolean {
  if (streaming === undefined) {
    const init: RequestInit & Body = { method: "POST", body: new ReadableStream(), duplex: "half" };
    streaming = !new Request("https://node.invalid/", init).headers.has("content-type");
  }
  return streaming;
}
