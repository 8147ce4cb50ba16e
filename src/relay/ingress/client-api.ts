import { MatrixError, notFound, tooLarge } from "../../matrix/errors.ts";
import { CLIENT_API, type ClientApi } from "../names/documents.ts";
import { corsHeaders } from "./answers.ts";
import type { Arrived } from "./arrived.ts";
import { ask, requestFor, responseFrom } from "./forward.ts";
import { guardBody } from "./guarded-body.ts";
import type { Ingress } from "./parts.ts";
import { nodeFor } from "./who.ts";

export const isClientPath = (path: string) =>
  /^\/_matrix\/(?:client|media)(?:\/|$)/.test(path) ||
  // The pages on which people let an app in, and what that app asks then.
  path.startsWith("/_hearth/oauth/") ||
  otherPaths.includes(path);

/** The one of Synapse's is where bots and test suites register their users. */
const otherPaths: readonly string[] = ["/.well-known/matrix/client", "/_synapse/admin/v1/register"];

/**
 * A client's request for a node whose owner has opened the client API. Errors need `corsHeaders` to be read.
 * @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export async function clientApi(ingress: Ingress, arrived: Arrived): Promise<Response> {
  // Asked before any request, also of a node that is away: only so can a page read the answer that says this.
  if (arrived.method === "OPTIONS") return new Response(null, { status: 200, headers: corsHeaders });
  const node = await nodeFor(ingress, arrived.host, undefined);
  const setting = await ingress.documents.read<ClientApi>(CLIENT_API, node);
  if (setting?.open !== true) throw notFound("Clients cannot reach this server through its relay.");
  const { clientBytes, idleTime, clientAnswerTime } = ingress.limits;
  if (Number(arrived.headers.get("content-length")) > clientBytes) {
    throw tooLarge(`A body has at most ${clientBytes} bytes here.`);
  }
  const guarded = arrived.body === null ? undefined : guardBody(arrived.body, clientBytes, idleTime);
  const request = requestFor(arrived, guarded?.stream);
  const answer = await ask(ingress.sessions, node, request, clientAnswerTime, arrived.signal);
  if (answer === undefined) guarded?.giveUp();
  const failure = guarded?.failure();
  if (failure !== undefined) {
    await answer?.body?.cancel(failure.message);
    throw failure;
  }
  const response = answer === undefined ? undefined : responseFrom(arrived.method, answer);
  if (response === undefined) {
    throw new MatrixError("M_UNKNOWN", 503, "This homeserver is away: the page that it runs in is not open.");
  }
  if (!response.headers.has("access-control-allow-origin")) {
    for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
  }
  return response;
}
