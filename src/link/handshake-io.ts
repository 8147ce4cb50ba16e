import type { ByteChannel, LinkEnd, LinkHandler } from "./api.ts";
import type { Clock } from "./clock.ts";
import { FrameReader } from "./frame-reader.ts";
import { encodeFrame, frameTypes, maxHandshakePayload, maxPayload, ProtocolError } from "./frames.ts";
import { encodeJsonPayload, parseJsonPayload } from "./json-payload.ts";
import { closeFrame, readClose } from "./session/close-frame.ts";
import type { KeepAliveOptions } from "./session/keep-alive.ts";
import { Session } from "./session/session.ts";

/** What both sides need for a session. */
export type LinkOptions = {
  channel: ByteChannel;
  handler: LinkHandler;
  clock: Clock;
  keepAlive: KeepAliveOptions;
  log: (error: unknown) => void;
};

/** A session that is proved and open, or why there is none. */
export type Opened = { link: Session; end?: undefined } | { end: LinkEnd; link?: undefined };

/** How the steps of a handshake are read and written. */
export type Steps = {
  /** @throws {HandshakeEnd} when the peer closes instead; ProtocolError for what is no step */
  read(): Promise<unknown>;
  write(step: unknown): void;
};

/** The handshake ends without a session. */
export class HandshakeEnd extends Error {
  override readonly name = "HandshakeEnd";
  readonly end: LinkEnd;

  constructor(kind: LinkEnd["kind"], reason: string) {
    super(reason);
    this.end = { kind, reason };
  }
}

/** From the channel being open to the node being welcome, in milliseconds: slow networks need three round trips. */
const handshakeLimit = 10_000;
/** How long the peer has to read why it is turned away, in milliseconds. */
export const lastWord = 2000;

/**
 * Runs one side's part of the handshake and opens the session after it. Never fails.
 * @param negotiate - resolves with the server name that is proved
 */
export async function handshake(
  options: LinkOptions,
  side: "node" | "relay",
  negotiate: (steps: Steps) => Promise<string>,
): Promise<Opened> {
  const { channel, clock } = options;
  const frames = new FrameReader(channel.readable, maxHandshakePayload);
  const writer = channel.writable.getWriter();
  // Reads see the channel fail as well: whoever waits for a step hears of it there.
  const write = (frame: Uint8Array) => void writer.write(frame).catch(() => undefined);
  const steps: Steps = {
    read: () => readStep(frames),
    write: (step) => write(encodeFrame(frameTypes.hello, 0, encodeJsonPayload(step))),
  };
  let callOff: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    callOff = clock.after(handshakeLimit, () =>
      reject(new HandshakeEnd("broken", "The other side has not finished the handshake in time.")),
    );
  });
  try {
    const serverName = await Promise.race([negotiate(steps), late]);
    frames.limit = maxPayload;
    return { link: new Session({ ...options, frames, writer, side, serverName }) };
  } catch (error) {
    const end = endOf(error);
    const said = error instanceof PeerClosed;
    if (said || end.kind === "broken") channel.close(end.reason);
    else {
      write(closeFrame({ ...end, taken: 0, final: true }));
      clock.after(lastWord, () => channel.close(end.reason));
    }
    return { end };
  } finally {
    callOff();
  }
}

/** The peer has said so itself: it needs no answer. */
class PeerClosed extends HandshakeEnd {}

async function readStep(frames: FrameReader): Promise<unknown> {
  for (;;) {
    const frame = await frames.next();
    if (frame === undefined)
      throw new PeerClosed("closed", "The other side closed before the session was open.");
    if (frame.type === frameTypes.hello) return parseJsonPayload(frame.payload);
    if (frame.type === frameTypes.close) {
      const { kind, reason } = readClose(frame);
      throw new PeerClosed(kind, reason);
    }
    throw new ProtocolError("Something came before the handshake was over.");
  }
}

function endOf(error: unknown): LinkEnd {
  if (error instanceof HandshakeEnd) return error.end;
  const reason = error instanceof Error ? error.message : "The connection broke.";
  return { kind: error instanceof ProtocolError ? "protocol" : "broken", reason };
}
