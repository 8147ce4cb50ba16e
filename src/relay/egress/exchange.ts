import type { ClientRequest, IncomingMessage } from "node:http";
import type { LinkResponse } from "../../link/api.ts";
import { answerBody } from "./answer-body.ts";
import { EgressFailure } from "./failure.ts";
import { answerHeaders } from "./headers.ts";
import { type RequestBody, sendBody } from "./request-body.ts";
import type { Watch } from "./watch.ts";

/** An answer whose body is still coming. */
export type Answered = LinkResponse & {
  body: ReadableStream<Uint8Array>;
  /** Settles when the body has ended, failed, or is not wanted any more. Never fails. */
  ended: Promise<void>;
};

/** Nothing was sent, as there was no connection: the same may be asked of another address. */
export class NotConnected extends EgressFailure {}
/** A connection that was kept for the next request was closed by the other side in the meantime. */
export class StaleConnection extends EgressFailure {}

/** Milliseconds until a connection has to be there, TLS included. */
const connectTime = 10_000;

/**
 * Sends one request and waits for the head of its answer.
 * @param start - makes the request, without its body
 * @param watch - ends it, also after the head. It is not over when this is.
 * @throws {EgressFailure}
 */
export async function exchange(
  start: () => ClientRequest,
  body: RequestBody,
  answerBytes: number,
  watch: Watch,
): Promise<Answered> {
  if (watch.signal.aborted) throw watch.signal.reason;
  const request = start();
  const stop = () => request.destroy();
  watch.signal.addEventListener("abort", stop);
  try {
    const head = headOf(request);
    const slow = setTimeout(() => request.destroy(notInTime()), connectTime);
    await connectedOf(request, head).finally(() => clearTimeout(slow));
    const sent = sendBody(request, body, watch);
    // Once the head is there, a request that fails shows as an answer that breaks off.
    sent.catch(stop);
    const answer = await Promise.race([head, sent.then(() => head)]);
    watch.heard();
    const answered = answeredOf(answer, answerBytes, watch);
    void answered.ended.then(() => {
      watch.signal.removeEventListener("abort", stop);
      // Not all was read, or not all sent: the connection is of no further use.
      if (!answer.complete || !request.writableEnded) stop();
    });
    return answered;
  } catch (error) {
    watch.signal.removeEventListener("abort", stop);
    stop();
    throw watch.failure() ?? failureOf(error, request);
  }
}

function headOf(request: ClientRequest): Promise<IncomingMessage> {
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    // Stays: a request may fail more than once.
    request.on("error", reject);
    request.once("close", () => reject(new Error("closed without an answer")));
  });
  // It is waited for below, but perhaps not yet when it fails.
  head.catch(() => undefined);
  return head;
}

/** Settles when bytes can be sent; fails as the request does. */
async function connectedOf(request: ClientRequest, head: Promise<IncomingMessage>): Promise<void> {
  const connected = new Promise<void>((resolve) => {
    request.once("socket", (socket) => {
      if (!socket.connecting) return resolve();
      socket.once("encrypted" in socket ? "secureConnect" : "connect", () => resolve());
    });
  });
  let there = false;
  await Promise.race([
    connected.then(() => {
      there = true;
    }),
    head,
  ]).catch((error: unknown) => {
    if (there) throw error;
    if (error instanceof EgressFailure) throw new NotConnected(error.kind, error.message);
    throw new NotConnected("unreachable", `There is no connection to the other server (${codeOf(error)}).`);
  });
}

const notInTime = () => new NotConnected("timeout", "There was no connection to the other server in time.");

function failureOf(error: unknown, request: ClientRequest): EgressFailure {
  if (error instanceof EgressFailure) return error;
  if (request.reusedSocket)
    return new StaleConnection("broken", "The other server has closed the connection.");
  return new EgressFailure("broken", `The other server broke the exchange off (${codeOf(error)}).`);
}

/** A code such as ECONNREFUSED, which says nothing about where the relay is. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^\w{1,60}$/.test(code) ? code : "no code";
}

function answeredOf(answer: IncomingMessage, maxBytes: number, watch: Watch): Answered {
  const headers = answerHeaders(answer.rawHeaders);
  const announced = Number(headers.find(([name]) => name === "content-length")?.[1] ?? 0);
  if (announced > maxBytes) throw new EgressFailure("broken", `The answer has more than ${maxBytes} bytes.`);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const body = answerBody(answer, maxBytes, watch, resolve);
  return { status: answer.statusCode ?? 502, headers, body, ended };
}
