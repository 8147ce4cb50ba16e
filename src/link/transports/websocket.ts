import type { ByteChannel } from "../api.ts";

/** What the platform may hold for us before we wait: a few pieces, as what is behind them is late by that much. */
const highWater = 128 * 1024;
/** How often to look whether it has become less, in milliseconds: nothing tells. */
const lookAgain = 4;
/**
 * Received and not read yet. A session reads at once; only who floods a handshake gets there. A WebSocket cannot be
 * told to wait, so it is closed.
 */
const maxUnread = 1024 * 1024;

/** Bytes over a WebSocket that is open, at either end. Its messages are pieces, cut anywhere. */
export function webSocketChannel(socket: WebSocket): ByteChannel {
  socket.binaryType = "arraybuffer";
  let over = false;
  let reader: ReadableStreamDefaultController<Uint8Array>;
  let writer: WritableStreamDefaultController;
  const finish = (end: () => void) => {
    if (over) return;
    over = true;
    end();
    writer.error(new Error("The WebSocket is closed."));
  };
  const fail = (reason: string) => finish(() => reader.error(new Error(reason)));
  const close = (reason: string) => {
    finish(() => reader.close());
    // 123 bytes are allowed, and people read what is in the session's own last word.
    if (socket.readyState <= WebSocket.OPEN) socket.close(1000, reason.replace(/[^ -~]/g, "?").slice(0, 100));
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        reader = controller;
      },
      cancel: () => close("Nobody reads any more."),
    },
    { highWaterMark: maxUnread, size: (piece) => piece.length },
  );
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => {
      writer = controller;
    },
    async write(piece) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("The WebSocket is closed.");
      socket.send(piece as Uint8Array<ArrayBuffer>);
      while (socket.bufferedAmount > highWater && !over) {
        await new Promise<void>((resolve) => {
          setTimeout(resolve, lookAgain);
        });
      }
    },
  });
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (over) return;
    if (!(data instanceof ArrayBuffer) || data.byteLength > (reader.desiredSize ?? 0)) {
      fail("The other side sends what is no part of a session.");
      socket.close(1008);
      return;
    }
    if (data.byteLength > 0) reader.enqueue(new Uint8Array(data));
  });
  socket.addEventListener("error", () => fail("The WebSocket broke."));
  socket.addEventListener("close", ({ wasClean }) => {
    if (wasClean) finish(() => reader.close());
    else fail("The WebSocket broke.");
  });
  return { kind: "websocket", readable, writable, close };
}

/** @throws whatever keeps it from opening, the signal's reason included */
export function connectWebSocket(url: string, signal: AbortSignal): Promise<ByteChannel> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url);
    const abort = () => {
      reject(signal.reason);
      socket.close();
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.addEventListener(
      "open",
      () => {
        signal.removeEventListener("abort", abort);
        // Aborted with the socket just open: nobody would close it.
        if (!signal.aborted) resolve(webSocketChannel(socket));
      },
      { once: true },
    );
    socket.addEventListener("close", () => reject(new Error("The WebSocket could not be opened.")), {
      once: true,
    });
  });
}
