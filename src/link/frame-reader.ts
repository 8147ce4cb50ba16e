import { type Frame, FrameDecoder } from "./frames.ts";

/** Frames of a channel one after the other; the handshake reads the first, the session all others. */
export class FrameReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder: FrameDecoder;

  constructor(readable: ReadableStream<Uint8Array>, limit: number) {
    this.#reader = readable.getReader();
    this.#decoder = new FrameDecoder(limit);
  }

  /** What the payload of a frame may have from now on, in bytes. */
  set limit(bytes: number) {
    this.#decoder.limit = bytes;
  }

  /**
   * @returns undefined when the channel has ended
   * @throws {ProtocolError} for a frame over the limit; whatever broke the channel
   */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#decoder.next();
      if (frame !== undefined) return frame;
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#decoder.push(value);
    }
  }
}
