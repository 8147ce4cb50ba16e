import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { ByteChannel } from "../../../link/api.ts";

/** A channel that its maker can break. */
export type NatsChannel = ByteChannel & { fail(reason: string): void };

/** Sent and not read yet, in bytes. */
const WINDOW = 512 * 1024;
/** Bytes of one message. */
const MESSAGE = 128 * 1024;
/** A letter, and a number of eight bytes: of the message, or of bytes read. */
const HEAD = 9;
const kinds = { data: 0, read: 1, close: 2 };

/**
 * Bytes between two relays as messages of NATS, from subject to subject. NATS may lose messages when connections break or
 * somebody is slow: they are numbered, and with one that is missing the channel breaks. It also says at once when nobody
 * is at the other end.
 * @param own - nobody else listens there
 */
export function natsChannel(connection: NatsConnection, own: string, peer: string): NatsChannel {
  let over = false;
  let reader: ReadableStreamDefaultController<Uint8Array>;
  let writer: WritableStreamDefaultController;
  let [sent, sentBytes, readByPeer] = [0, 0, 0];
  let [received, receivedBytes, told] = [0, 0, 0];
  let wake: () => void = () => undefined;

  const send = (kind: number, number: number, bytes: Uint8Array = new Uint8Array()) => {
    const message = new Uint8Array(HEAD + bytes.length);
    message[0] = kind;
    new DataView(message.buffer).setFloat64(1, number);
    message.set(bytes, HEAD);
    connection.publish(peer, message, { reply: own });
  };
  const finish = (end: () => void) => {
    if (over) return;
    over = true;
    subscription.unsubscribe();
    end();
    writer.error(new Error("The connection to the other relay is closed."));
    wake();
  };
  const fail = (reason: string) => finish(() => reader.error(new Error(reason)));
  const close = () => {
    if (over) return;
    if (!connection.isClosed()) send(kinds.close, 0);
    finish(() => reader.close());
  };

  const receive = (message: Msg) => {
    if (over) return;
    if (message.headers?.code === 503) return fail("The other relay is gone.");
    const { data } = message;
    if (data.length < HEAD) return fail("The other relay sends what is no part of a channel.");
    const number = new DataView(data.buffer, data.byteOffset).getFloat64(1);
    if (data[0] === kinds.read) {
      readByPeer = number;
      wake();
    } else if (data[0] === kinds.close) finish(() => reader.close());
    else if (number !== received) fail("A message of the other relay is missing.");
    else {
      received++;
      receivedBytes += data.length - HEAD;
      if (receivedBytes - told > WINDOW + MESSAGE) return fail("The other relay sends more than is read.");
      reader.enqueue(data.subarray(HEAD));
    }
  };
  const subscription = connection.subscribe(own, {
    callback: (error, message) => (error ? fail(error.message) : receive(message)),
  });

  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        reader = controller;
      },
      pull: () => {
        const read = receivedBytes - (2 * WINDOW - (reader.desiredSize ?? 0));
        if (read - told < WINDOW / 4 || over) return;
        told = read;
        send(kinds.read, read);
      },
      cancel: close,
    },
    { highWaterMark: 2 * WINDOW, size: (piece) => piece.length },
  );
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => {
      writer = controller;
    },
    async write(bytes) {
      for (let from = 0; from < bytes.length; from += MESSAGE) {
        const piece = bytes.subarray(from, from + MESSAGE);
        while (sentBytes - readByPeer + piece.length > WINDOW && !over) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (over) return;
        sentBytes += piece.length;
        send(kinds.data, sent++, piece);
      }
    },
  });
  return { kind: "websocket", readable, writable, close, fail };
}
