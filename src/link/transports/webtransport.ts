import { decodeBase64 } from "../../matrix/base64.ts";
import type { ByteChannel } from "../api.ts";

/** What a channel needs of a WebTransport session; types of it differ from platform to platform. */
export type TransportSession = {
  readonly closed: Promise<unknown>;
  close(info?: { closeCode?: number; reason?: string }): void;
};
export type TransportStream = {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
};

/** Bytes over one stream of a WebTransport session, at either end. */
export function webTransportChannel(session: TransportSession, stream: TransportStream): ByteChannel {
  const read = readingInto(stream.readable);
  let over = false;
  const finish = (end: () => void) => {
    if (over) return;
    over = true;
    end();
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Neither the end of the stream nor its failure reaches the other side reliably; that of the session does.
        session.closed.then(
          () => finish(() => controller.close()),
          (error: unknown) => finish(() => controller.error(error)),
        );
      },
      async pull(controller) {
        try {
          const { done, value } = await read();
          if (over) return;
          if (done) finish(() => controller.close());
          else controller.enqueue(value);
        } catch (error) {
          finish(() => controller.error(error));
        }
      },
      cancel: () => close("Nobody reads any more."),
    },
    { highWaterMark: 0 },
  );
  const close = (reason: string) => {
    try {
      session.close({ closeCode: 0, reason: reason.slice(0, 200) });
    } catch {
      // Closed already, or never open: some platforms throw then.
    }
  };
  return { kind: "webtransport", readable, writable: stream.writable, close };
}

/** Bytes that a read waits with: Deno sets them aside, with each of thousands of sessions that hear nothing. */
const leastRead = 2 * 1024;
const mostRead = 64 * 1024;

/** Reads into little room while little comes, and into more when that is filled. */
function readingInto(
  readable: ReadableStream<Uint8Array>,
): () => Promise<ReadableStreamReadResult<Uint8Array>> {
  const reader = byobReader(readable);
  if (reader === undefined) {
    const plain = readable.getReader();
    return () => plain.read();
  }
  let room = leastRead;
  return async () => {
    const { done, value } = await reader.read(new Uint8Array(room));
    if (done || value === undefined) return { done: true, value: undefined };
    if (value.length === room) room = Math.min(4 * room, mostRead);
    else if (value.length < room / 4) room = Math.max(room / 4, leastRead);
    return { done, value };
  };
}

/** @returns undefined where the platform's stream is not one of bytes */
function byobReader(readable: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return readable.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * @param certificateHashes - base64 of SHA-256; without them the certificate has to be one that the browser trusts
 * @throws whatever keeps it from opening, the signal's reason included: some handshakes neither succeed nor fail
 */
export async function connectWebTransport(
  url: string,
  certificateHashes: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<ByteChannel> {
  signal.throwIfAborted();
  const values = (certificateHashes ?? []).flatMap((hash) => decodeBase64(hash) ?? []);
  const serverCertificateHashes = values.map((value) => ({ algorithm: "sha-256", value }));
  const session = new WebTransport(url, values.length > 0 ? { serverCertificateHashes } : {});
  // Its failure is seen by `ready` too.
  session.closed.catch(() => undefined);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    const opened = session.ready.then(() => session.createBidirectionalStream());
    // Where the signal wins, this may fail later, and nobody needs to know.
    opened.catch(() => undefined);
    return webTransportChannel(session, await Promise.race([opened, aborted]));
  } catch (error) {
    try {
      session.close();
    } catch {
      // Not open yet: some platforms throw then, and there is nothing to close.
    }
    throw error;
  }
}
