import { ProtocolError, pieceBytes } from "../frames.ts";
import { type Budget, initialWindow, maxWindow } from "./credit.ts";

export type InboundBodyHooks = {
  /** So many more bytes may be sent. */
  grant(bytes: number): void;
  /** The reader wants no more. Not called once all is read, or it has failed. */
  cancelled(reason: unknown): void;
  /** Nothing is held here any more: read to its end, cancelled or failed. Called once. */
  released(): void;
};

/** A body that comes in: keeps what its reader has not taken yet, which is never more than the window. */
export class InboundBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #budget: Budget;
  readonly #hooks: InboundBodyHooks;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pieces: Uint8Array[] = [];
  /** How much of the last piece is filled, where it was made here to gather small ones. */
  #gathered: number | undefined;
  #wanted: (() => void) | undefined;
  #ended = false;
  #over = false;
  #window = initialWindow;
  /** What the peer may send now. */
  #credit = initialWindow;
  /** What was read, and not granted again yet. */
  #owed = 0;

  constructor(budget: Budget, hooks: InboundBodyHooks) {
    this.#budget = budget;
    this.#hooks = hooks;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: (reason) => {
          if (!this.#release()) return;
          hooks.cancelled(reason);
        },
      },
      // Nothing is taken from the window before it is asked for.
      { highWaterMark: 0 },
    );
  }

  /** Whether `end` has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws {ProtocolError} for more than was granted, or what comes after the end */
  receive(piece: Uint8Array): void {
    if (this.#ended) throw new ProtocolError("A piece of a body came after its end.");
    if (piece.length > this.#credit) throw new ProtocolError("More of a body came than was granted.");
    this.#credit -= piece.length;
    if (this.#over || piece.length === 0) return;
    if (this.#wanted !== undefined) this.#deliver(piece);
    else this.#keep(piece);
  }

  /** @throws {ProtocolError} when it comes twice */
  end(): void {
    if (this.#ended) throw new ProtocolError("A body ended twice.");
    this.#ended = true;
    this.#finishIfRead();
  }

  /** Breaks the body off for its reader; what was not read is dropped. Does nothing when it is over. */
  fail(error: unknown): void {
    if (!this.#release()) return;
    this.#controller?.error(error);
    this.#wanted?.();
  }

  #pull(): Promise<void> | void {
    if (this.#over) return;
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      const whole = this.#pieces.length > 0 || this.#gathered === undefined;
      const filled = whole ? piece : piece.subarray(0, this.#gathered);
      if (this.#pieces.length === 0) this.#gathered = undefined;
      this.#deliver(filled);
      return;
    }
    return new Promise<void>((resolve) => {
      this.#wanted = resolve;
    });
  }

  #deliver(piece: Uint8Array): void {
    this.#controller?.enqueue(piece);
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
    this.#owed += piece.length;
    this.#finishIfRead();
    if (!this.#ended && !this.#over && this.#owed >= this.#window / 2) this.#grant();
  }

  #grant(): void {
    let bytes = this.#owed;
    this.#owed = 0;
    // Its reader waits for the peer and not the other way round: it could take more at a time.
    if (this.#pieces.length === 0 && this.#window < maxWindow && this.#budget.take(this.#window)) {
      bytes += this.#window;
      this.#window *= 2;
    }
    this.#credit += bytes;
    this.#hooks.grant(bytes);
  }

  /** Small pieces are gathered into larger ones: a thousand of one byte would hold much more memory than a window. */
  #keep(piece: Uint8Array): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && this.#gathered !== undefined && this.#gathered + piece.length <= last.length) {
      last.set(piece, this.#gathered);
      this.#gathered += piece.length;
      return;
    }
    if (last !== undefined && this.#gathered !== undefined) {
      this.#pieces[this.#pieces.length - 1] = last.subarray(0, this.#gathered);
    }
    // A copy in any case: what was received is a view of something larger.
    const room = new Uint8Array(piece.length >= pieceBytes ? piece.length : pieceBytes);
    room.set(piece);
    this.#pieces.push(room);
    this.#gathered = piece.length;
  }

  #finishIfRead(): void {
    if (!this.#ended || this.#pieces.length > 0 || !this.#release()) return;
    this.#controller?.close();
    this.#wanted?.();
  }

  #release(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#pieces = [];
    this.#budget.giveBack(this.#window - initialWindow);
    this.#window = initialWindow;
    this.#hooks.released();
    return true;
  }
}
