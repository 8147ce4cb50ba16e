import type { ClientRequest } from "node:http";
import type { LinkRequest } from "../../link/api.ts";
import { EgressFailure } from "./failure.ts";
import { contentLength } from "./headers.ts";
import type { Watch } from "./watch.ts";

/** What is sent: nothing, bytes that can be sent once more, or a stream that cannot (with its length, if that is known). */
export type RequestBody =
  | { kind: "none" }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "stream"; stream: ReadableStream<Uint8Array>; length: number | undefined };

/** Bodies up to this size are read before they are sent: then they can go to a second address as well. */
const readWhole = 65_536;

/** @throws {EgressFailure} refused, where it is larger than `maxBytes` or not as long as its header says */
export async function requestBody(
  request: LinkRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<RequestBody> {
  const length = contentLength(request.headers);
  const stream = request.body;
  if (length !== undefined && length > maxBytes) throw tooLarge(maxBytes);
  if (stream === undefined) {
    if (length) throw notAsLong();
    // Without a length, some servers take a PUT or POST for one that is still to come.
    return request.method === "GET" ? { kind: "none" } : { kind: "bytes", bytes: new Uint8Array(0) };
  }
  const bounded = stream.pipeThrough(counted(length, maxBytes), { signal });
  if (length === undefined || length > readWhole) return { kind: "stream", stream: bounded, length };
  return { kind: "bytes", bytes: new Uint8Array(await new Response(bounded).arrayBuffer()) };
}

export function streamOf(body: RequestBody): ReadableStream<Uint8Array> | undefined {
  if (body.kind === "stream") return body.stream;
  return body.kind === "bytes" ? new Blob([new Uint8Array(body.bytes)]).stream() : undefined;
}

/** Fails where more or less comes than was announced, or more than may be. */
function counted(
  length: number | undefined,
  maxBytes: number,
): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      if (length !== undefined && bytes > length) throw notAsLong();
      controller.enqueue(new Uint8Array(chunk));
    },
    flush() {
      if (length !== undefined && bytes < length) throw notAsLong();
    },
  });
}

/**
 * Sends a body, no faster than the other side takes it.
 * @throws what the stream fails with; the request is not ended then, so that the other side sees no whole body
 */
export async function sendBody(request: ClientRequest, body: RequestBody, watch: Watch): Promise<void> {
  if (body.kind === "none") return void request.end();
  if (body.kind === "bytes") return void request.end(body.bytes);
  const reader = body.stream.getReader();
  const given = () => reader.cancel(watch.signal.reason).catch(() => undefined);
  watch.signal.addEventListener("abort", given, { once: true });
  try {
    for (;;) {
      // What comes from the node is waited for by the time for all of it, not by the other server's silence.
      watch.pause();
      const { done, value } = await reader.read();
      watch.heard();
      if (done) break;
      if (!request.write(value)) await drained(request, watch.signal);
      if (watch.signal.aborted) throw watch.signal.reason;
    }
    if (!watch.signal.aborted) request.end();
  } finally {
    watch.signal.removeEventListener("abort", given);
    reader.cancel().catch(() => undefined);
  }
}

function drained(request: ClientRequest, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      for (const event of ["drain", "close", "error"]) request.off(event, go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) request.on(event, go);
    signal.addEventListener("abort", go);
  });
}

const tooLarge = (maxBytes: number) =>
  new EgressFailure("refused", `The request's body has more than ${maxBytes} bytes.`);
const notAsLong = () =>
  new EgressFailure("refused", "The request's body is not as long as its content-length.");
