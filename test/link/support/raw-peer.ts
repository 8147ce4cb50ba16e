import type { LinkHandler } from "../../../src/link/api.ts";
import { type Clock, systemClock } from "../../../src/link/clock.ts";
import { FrameReader } from "../../../src/link/frame-reader.ts";
import { encodeFrame, type Frame, frameTypes, maxPayload } from "../../../src/link/frames.ts";
import { Session } from "../../../src/link/session/session.ts";
import { keepAlive } from "./identities.ts";
import { memoryChannels } from "./memory-channels.ts";
import { noAnswers } from "./sessions.ts";

/** A relay's session whose peer writes whatever it likes. */
export function rawPeer(handler: LinkHandler = noAnswers, clock: Clock = systemClock) {
  const [mine, theirs] = memoryChannels();
  const session = new Session({
    channel: theirs,
    frames: new FrameReader(theirs.readable, maxPayload),
    writer: theirs.writable.getWriter(),
    side: "relay",
    serverName: "node.example.org",
    handler,
    clock,
    keepAlive,
    log: () => undefined,
  });
  const writer = mine.writable.getWriter();
  const frames = new FrameReader(mine.readable, maxPayload);
  return {
    session,
    channel: mine,
    async write(bytes: Uint8Array) {
      await writer.ready;
      void writer.write(bytes).catch(() => undefined);
    },
    async send(type: number, stream: number, payload?: Uint8Array) {
      await this.write(encodeFrame(type, stream, payload));
    },
    /** Opens a stream. */
    async open(stream: number, hasBody = false) {
      const head = new TextEncoder().encode(JSON.stringify(["PUT", "/x", [], hasBody ? 1 : 0]));
      await this.send(frameTypes.request, stream, head);
    },
    next: () => frames.next(),
    /** The next frame of a type; others before it are passed over. */
    async nextOf(type: number): Promise<Frame> {
      for (;;) {
        const frame = await frames.next();
        if (frame === undefined) throw new Error("The session has ended.");
        if (frame.type === type) return frame;
      }
    },
  };
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
