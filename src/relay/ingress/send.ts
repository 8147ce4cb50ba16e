import { bodyOf } from "../../link/bodies.ts";
import { MatrixError } from "../../matrix/errors.ts";
import { readBody } from "../body.ts";
import { decodeSegment } from "../paths.ts";
import { jsonAnswer } from "./answers.ts";
import type { Arrived } from "./arrived.ts";
import { ask, requestFor } from "./forward.ts";
import type { Ingress } from "./parts.ts";
import { storeMail } from "./store-mail.ts";
import { authOf, nodeFor } from "./who.ts";

export const SEND = "/_matrix/federation/v1/send/";

/** Milliseconds that a node which is awake has for its answer, after which the mailbox takes the transaction. */
const NODE_TIME = 800;
/** Milliseconds for all but the writing: within a second, there is an answer. */
const ALL_TIME = 950;
/** What finding the sender's key may take in any case. */
const LEAST_KEY_TIME = 100;
/** A node's answer names at most 50 events. */
const MAX_ANSWER = 256 * 1024;

/**
 * A transaction: the node's own answer if it has one at once, else that of the mailbox. A sender that got an error, or
 * nothing, would send nothing at all for ten minutes and up to a week.
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid
 */
export async function sendTransaction(ingress: Ingress, arrived: Arrived, path: string): Promise<Response> {
  const { limits, space, now } = ingress;
  const auth = authOf(arrived);
  const node = await nodeFor(ingress, arrived.host, auth);
  const txnId = decodeSegment(path.slice(SEND.length));
  const body = await readBody(arrived.body, {
    bytes: limits.transactionBytes,
    time: limits.bodyTime,
    space,
  });
  try {
    const start = now();
    const answer = await askNode(ingress, arrived, node, body);
    if (answer !== undefined) return answer;
    const within = Math.max(LEAST_KEY_TIME, ALL_TIME - (now() - start));
    const transaction = { node, destination: node, auth, txnId, body };
    const put = await storeMail(ingress, arrived, transaction, within);
    return put === "full" ? full() : jsonAnswer({ pdus: {} });
  } finally {
    space.give(body.length);
  }
}

/**
 * A server error makes the sender keep the transaction and come back later, which is what is wanted this once. With any
 * other error it would go on to the next transaction, and this one would be lost.
 */
function full(): Response {
  const why = "The mailbox of this server is full: it has not been online for long. Try again later.";
  const error = new MatrixError("M_RESOURCE_LIMIT_EXCEEDED", 507, why);
  return jsonAnswer(error.toJSON(), error.status, { "Retry-After": "3600" });
}

/** @returns the whole answer, if it is one that the sender should have */
async function askNode(
  ingress: Ingress,
  arrived: Arrived,
  node: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response | undefined> {
  const { sessions, now } = ingress;
  const until = now() + NODE_TIME;
  const request = requestFor(arrived, bodyOf(body));
  // The sender's going away changes nothing: what has come whole is delivered.
  const answer = await ask(sessions, node, request, NODE_TIME, new AbortController().signal);
  if (answer === undefined) return undefined;
  if (!isFinal(answer.status)) {
    await answer.body?.cancel("The mailbox takes it.");
    return undefined;
  }
  try {
    const limits = { bytes: MAX_ANSWER, time: Math.max(0, until - now()) };
    const bytes = await readBody(answer.body ?? null, limits);
    return new Response(bytes, { status: answer.status, headers: { "Content-Type": "application/json" } });
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

/** Taken, or refused for good. Of anything else (no room, no time, no such endpoint yet) the mailbox is the remedy. */
function isFinal(status: number): boolean {
  return (status >= 200 && status < 300) || [400, 401, 403, 413].includes(status);
}
