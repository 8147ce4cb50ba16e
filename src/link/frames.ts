/**
 * Frames of a session, the same over every transport. Each is a header of 8 bytes (big-endian: 24 bits of payload
 * length, 8 bits of type, 32 bits of stream) and its payload. Types that a reader does not know are skipped, so that
 * later versions may add some. The end of a body is a frame of its own: the FIN of a WebTransport stream does not
 * reach the other side reliably.
 */
export type Frame = { type: number; stream: number; payload: Uint8Array };

/** What frames are for. Those marked (0) concern the session, and carry 0 as their stream. */
export const frameTypes = {
  /** (0) A step of the handshake: JSON. */
  hello: 0,
  /** Opens a stream: the head of a request. */
  request: 1,
  /** The head of the answer. */
  response: 2,
  /** A piece of a body. Takes its length from the credit of the stream in that direction. */
  data: 3,
  /** The body has ended. */
  end: 4,
  /** No more of the request's body is wanted. The sender of the body answers with `end`. */
  stop: 5,
  /** The exchange is given up: one byte of `abortCodes`, then a sentence for people. Nothing follows on the stream. */
  abort: 6,
  /** So many more bytes of body may be sent: 32 bits. */
  credit: 7,
  /** (0) Eight bytes that come back as `pong`. */
  ping: 8,
  pong: 9,
  /** (0) No more requests are taken: JSON, see close.ts. */
  close: 10,
} as const;

export const headerBytes = 8;
/** Of any frame: a head with long query and signature fits, and one frame is little to hold for each session. */
export const maxPayload = 64 * 1024;
/** Before the node has proved who it is, a frame is a small JSON object. */
export const maxHandshakePayload = 4 * 1024;
/** What bodies are cut into: small, so that others get their turn. */
export const pieceBytes = 16 * 1024;

/** The peer does not keep to this protocol: the session ends. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

const empty = new Uint8Array();

export function encodeFrame(type: number, stream: number, payload: Uint8Array = empty): Uint8Array {
  if (payload.length > maxPayload) throw new RangeError("The payload is too large for a frame.");
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length * 256 + type);
  view.setUint32(4, stream);
  bytes.set(payload, headerBytes);
  return bytes;
}

/** Makes frames of bytes that are cut anywhere. Holds no more than one unfinished frame and what was pushed last. */
export class FrameDecoder {
  /** What a payload may have now. */
  limit: number;
  #buffer: Uint8Array = empty;
  #start = 0;
  #end = 0;
  /** Whether `#buffer` was made here, so that more may be written behind `#end`. */
  #own = false;

  constructor(limit = maxPayload) {
    this.limit = limit;
  }

  /** Takes over `chunk`: frames that lie in it whole are handed out as views of it. */
  push(chunk: Uint8Array): void {
    const held = this.#end - this.#start;
    if (held === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#own = false;
      return;
    }
    if (!this.#own || this.#end + chunk.length > this.#buffer.length) {
      // Twice as much as is held: a frame that comes byte by byte is copied a few times, not once a byte.
      const larger = new Uint8Array(Math.max(held + chunk.length, 2 * held, 256));
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
      this.#start = 0;
      this.#end = held;
      this.#own = true;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next whole frame; undefined when more bytes are needed.
   * @throws {ProtocolError} as soon as the header of a frame over the limit is there
   */
  next(): Frame | undefined {
    const held = this.#end - this.#start;
    if (held < headerBytes) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + this.#start, headerBytes);
    const word = view.getUint32(0);
    const length = word >>> 8;
    if (length > this.limit) throw new ProtocolError(`A frame of ${length} bytes is over the limit.`);
    if (held < headerBytes + length) return undefined;
    const from = this.#start + headerBytes;
    this.#start = from + length;
    const payload = this.#buffer.subarray(from, this.#start);
    if (this.#start === this.#end) {
      // An idle session holds no buffer.
      this.#buffer = empty;
      this.#start = 0;
      this.#end = 0;
      this.#own = false;
    }
    return { type: word & 0xff, stream: view.getUint32(4), payload };
  }
}
