import { encodeFrame, frameTypes, ProtocolError, pieceBytes } from "../frames.ts";
import { initialWindow } from "./credit.ts";
import type { Outbox, Sender } from "./outbox.ts";

/** As much credit as a peer may have given: more is none that keeps to the protocol. */
const maxCredit = 0x7fffffff;

export type OutboundBodyHooks = {
  /** The last frame was given to the channel. */
  ended(): void;
  /** The source broke; nothing more is sent. */
  failed(error: unknown): void;
};

/** A body that goes out: read from its source piece by piece, and never ahead of what the peer has granted. */
export class OutboundBody implements Sender {
  readonly #stream: number;
  readonly #outbox: Outbox;
  readonly #hooks: OutboundBodyHooks;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #credit = initialWindow;
  #piece: Uint8Array | undefined;
  #reading = false;
  #sourceEnded = false;
  #over = false;

  constructor(source: ReadableStream<Uint8Array>, stream: number, outbox: Outbox, hooks: OutboundBodyHooks) {
    this.#stream = stream;
    this.#outbox = outbox;
    this.#hooks = hooks;
    this.#reader = source.getReader();
    this.#read();
  }

  /** @throws {ProtocolError} for more than can ever be meant */
  grant(bytes: number): void {
    if (this.#over) return;
    if (this.#credit + bytes > maxCredit) throw new ProtocolError("More credit was given than there is.");
    this.#credit += bytes;
    if (this.#piece !== undefined) this.#outbox.schedule(this);
    else this.#read();
  }

  /** The peer wants no more of it: what is left to say is that it has ended. */
  stop(): void {
    if (this.#over || this.#sourceEnded) return;
    this.#cancelSource("The peer does not want the rest.");
    this.#piece = undefined;
    this.#sourceEnded = true;
    this.#outbox.schedule(this);
  }

  /** Sends nothing more. Does nothing when it is over. */
  abandon(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#outbox.withdraw(this);
    this.#cancelSource(reason);
    this.#piece = undefined;
  }

  take(): Uint8Array | undefined {
    if (this.#over) return undefined;
    if (this.#sourceEnded) {
      this.#over = true;
      this.#hooks.ended();
      return encodeFrame(frameTypes.end, this.#stream);
    }
    if (this.#piece === undefined || this.#credit === 0) return undefined;
    const size = Math.min(this.#credit, pieceBytes, this.#piece.length);
    const frame = encodeFrame(frameTypes.data, this.#stream, this.#piece.subarray(0, size));
    this.#credit -= size;
    this.#piece = size < this.#piece.length ? this.#piece.subarray(size) : undefined;
    if (this.#piece === undefined) this.#read();
    return frame;
  }

  #read(): void {
    if (this.#reading || this.#sourceEnded || this.#credit === 0) return;
    this.#reading = true;
    this.#reader.read().then(
      ({ done, value }) => {
        this.#reading = false;
        if (this.#over || this.#sourceEnded) return;
        if (done) this.#sourceEnded = true;
        else if (value instanceof Uint8Array) this.#piece = value.length > 0 ? value : undefined;
        else {
          this.#fail(new TypeError("A body has to be made of bytes."));
          return;
        }
        if (done || this.#piece !== undefined) this.#outbox.schedule(this);
        else this.#read();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#over || this.#sourceEnded) return;
    this.abandon(error);
    this.#hooks.failed(error);
  }

  #cancelSource(reason: unknown): void {
    // Who made the body hears of it; what goes wrong in letting go of it concerns nobody any more.
    this.#reader.cancel(reason).catch(() => undefined);
  }
}
