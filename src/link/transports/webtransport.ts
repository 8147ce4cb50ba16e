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
  const source = stream.readable.getReader();
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
          const { done, value } = await source.read();
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
