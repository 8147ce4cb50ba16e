import type { LinkHandler, LinkRequest, LinkResponse } from "../../link/api.ts";
import { bodyOf } from "../../link/bodies.ts";
import { RELAY_API } from "../../link/relay-api.ts";
import { invalidParam, MatrixError, unknown, unrecognized } from "../../matrix/errors.ts";
import { ignoreFailure, parseBody, readBody } from "../body.ts";
import type { Purpose } from "../egress/api.ts";
import { decodeSegment } from "../paths.ts";
import * as endpoints from "./endpoints.ts";
import { takeMail } from "./mailbox.ts";
import type { Endpoint, NodeApiParts } from "./parts.ts";

/** Bytes of a body: what is kept of it is a document. */
const MAX_BODY = 512 * 1024;
/** Milliseconds for all of it. */
const BODY_TIME = 30_000;

const PURPOSES: readonly Purpose[] = ["federation", "push", "app-service", "preview", "media"];
const PURPOSE_HEADER = "x-hearth-purpose";

const routes: readonly [method: string, path: RegExp, endpoint: Endpoint][] = [
  ["GET", /^\/mailbox$/, takeMail],
  ["PUT", /^\/presence$/, endpoints.presence],
  ["PUT", /^\/server-keys$/, endpoints.serverKeys],
  ["POST", /^\/key-mailbox\/take-back$/, endpoints.takeKeysBack],
  ["PUT", /^\/key-mailbox\/([^/]+)$/, endpoints.depositKeys],
  ["PUT", /^\/wake-up$/, endpoints.wakeUp],
  ["PUT", /^\/client-api$/, endpoints.clientApi],
  ["PUT", /^\/name$/, endpoints.claimName],
  ["GET", /^\/status$/, endpoints.status],
];

/**
 * Answers what a node asks of its relay over its session: `src/link/relay-api.ts`, and requests to others.
 * @returns the handler for the node that has proved to be `owner`
 */
export function nodeApi(parts: NodeApiParts): (owner: string) => LinkHandler {
  return (owner) => async (request, signal) => {
    try {
      if (!request.target.startsWith("/")) return await askOthers(parts, owner, request, signal);
      return jsonAnswer(200, await call(parts, owner, request, signal));
    } catch (error) {
      if (error instanceof MatrixError) return jsonAnswer(error.status, error.toJSON());
      parts.onFault(error);
      return jsonAnswer(500, unknown("Something went wrong in this relay.").toJSON());
    } finally {
      // What nobody has read must not hold a window of the session.
      if (request.body?.locked === false) ignoreFailure(request.body.cancel("It is not wanted."));
    }
  };
}

async function call(parts: NodeApiParts, owner: string, request: LinkRequest, signal: AbortSignal) {
  const [path = "", ...rest] = request.target.split("?");
  if (!path.startsWith(`${RELAY_API}/`)) throw unrecognized("There is no such endpoint.");
  const here = path.slice(RELAY_API.length);
  const onPath = routes.filter(([, pattern]) => pattern.test(here));
  const route = onPath.find(([method]) => method === request.method);
  if (route === undefined) {
    throw unrecognized("There is no such endpoint.", onPath.length > 0 ? 405 : 404);
  }
  const [, pattern, endpoint] = route;
  return endpoint(parts, {
    owner,
    query: new URLSearchParams(rest.join("?")),
    name: decodeSegment(pattern.exec(here)?.[1] ?? ""),
    body: await readJson(request),
    signal,
  });
}

async function askOthers(
  { egress }: NodeApiParts,
  owner: string,
  request: LinkRequest,
  signal: AbortSignal,
): Promise<LinkResponse> {
  const given = request.headers.find(([name]) => name.toLowerCase() === PURPOSE_HEADER)?.[1];
  const purpose = PURPOSES.find((known) => known === given);
  if (purpose === undefined)
    throw invalidParam(`The header ${PURPOSE_HEADER} should be one of ${PURPOSES.join(", ")}.`);
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== PURPOSE_HEADER);
  return egress(owner, purpose, { ...request, headers }, signal);
}

async function readJson({ body }: LinkRequest): Promise<unknown> {
  const bytes = await readBody(body ?? null, { bytes: MAX_BODY, time: BODY_TIME });
  return bytes.length === 0 ? undefined : parseBody(bytes);
}

function jsonAnswer(status: number, value: unknown): LinkResponse {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const headers = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.length)],
  ] as const;
  return { status, headers, body: bodyOf(bytes) };
}
