import type { LinkResponse } from "../../link/api.ts";
import { bodyOf } from "../../link/bodies.ts";
import { unrecognized } from "../../matrix/errors.ts";
import { readBody } from "../body.ts";
import { jsonAnswer } from "./answers.ts";
import type { Arrived } from "./arrived.ts";
import { awayAnswer, isAway } from "./away.ts";
import { ask, requestFor, responseFrom } from "./forward.ts";
import { guardBody } from "./guarded-body.ts";
import type { Ingress } from "./parts.ts";
import { SEND, sendTransaction } from "./send.ts";
import { authOf, nodeFor } from "./who.ts";

/** Bytes of a question that the relay can answer itself. */
const MAX_QUESTION = 256 * 1024;
/** Milliseconds that a node which is awake has for it, before the relay does. */
const QUESTION_TIME = 800;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/** What other servers ask of a node. */
export async function federation(ingress: Ingress, arrived: Arrived, path: string): Promise<Response> {
  const { method } = arrived;
  if (!METHODS.includes(method)) throw unrecognized("There is no such method here.", 405);
  if (method === "PUT" && path.startsWith(SEND) && !path.slice(SEND.length).includes("/")) {
    return sendTransaction(ingress, arrived, path);
  }
  const auth = arrived.headers.has("authorization") ? authOf(arrived) : undefined;
  const node = await nodeFor(ingress, arrived.host, auth);
  const answer = awayAnswer(method, path);
  if (answer === undefined) return passOn(ingress, arrived, node);

  const limits = { bytes: MAX_QUESTION, time: ingress.limits.bodyTime, space: ingress.space };
  const body = await readBody(arrived.body, limits);
  try {
    const stream = body.length === 0 ? undefined : bodyOf(body);
    const own = await askNode(ingress, arrived, node, stream, QUESTION_TIME);
    return own ?? (await answer(ingress, arrived, node, body));
  } finally {
    ingress.space.give(body.length);
  }
}

/** All else, which only the node can answer; both bodies pass as they come. */
async function passOn(ingress: Ingress, arrived: Arrived, node: string): Promise<Response> {
  const { federationBytes, idleTime, answerTime } = ingress.limits;
  const guarded = arrived.body === null ? undefined : guardBody(arrived.body, federationBytes, idleTime);
  const own = await askNode(ingress, arrived, node, guarded?.stream, answerTime);
  if (own === undefined) guarded?.giveUp();
  const failure = guarded?.failure();
  if (failure !== undefined) {
    await own?.body?.cancel(failure.message);
    throw failure;
  }
  if (own === undefined) throw isAway();
  return own;
}

/** @returns undefined when the node is away, or says in other words that it is */
async function askNode(
  ingress: Ingress,
  arrived: Arrived,
  node: string,
  body: ReadableStream<Uint8Array> | undefined,
  within: number,
): Promise<Response | undefined> {
  const request = requestFor(arrived, body);
  const answer: LinkResponse | undefined = await ask(ingress.sessions, node, request, within, arrived.signal);
  if (answer === undefined) return undefined;
  if (answer.status >= 502 && answer.status <= 504) {
    await answer.body?.cancel("The relay answers.");
    return undefined;
  }
  return responseFrom(arrived.method, answer);
}

/**
 * Whoever asks this has come by HTTPS to the port that this says: so a server finds a node where no other port is open.
 * @throws {MatrixError} M_NOT_FOUND (404) for nobody who is known here
 * @see https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export async function wellKnownServer(ingress: Ingress, { host }: Arrived): Promise<Response> {
  // The relay itself takes in mail of those who cannot reach a node (`send_relay`), and is found in the same way.
  if (host !== ingress.relayName) await nodeFor(ingress, host, undefined);
  return jsonAnswer({ "m.server": /:[0-9]+$/.test(host) ? host : `${host}:443` });
}
