import type { ByteChannel } from "../../link/api.ts";
import type { Clock } from "../../link/clock.ts";
import { maxTransfer } from "../../link/transports/fetch-protocol.ts";

/** Bytes from `from` on: those before it are let go of. */
export type Down = { bytes: Uint8Array; ended: boolean };

/** Without any request for so long, in milliseconds, the node is gone: it asks again at once after each answer. */
const silence = 60_000;

/** The relay's end of a session over plain requests. */
export class FetchChannel implements ByteChannel {
  readonly kind = "fetch";
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #clock: Clock;
  readonly #gone: () => void;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #over = false;
  /** How many bytes have been taken in. */
  #received = 0;
  /** What went out and was not asked beyond: the first is byte number `#base`. */
  #pieces: Uint8Array[] = [];
  #base = 0;
  #held = 0;
  /** How often bytes were asked for: the last one to ask gets them. */
  #asked = 0;
  /** Called whenever something has changed that somebody may wait for. */
  readonly #waiting = new Set<() => void>();
  #cancelSilence: () => void = () => undefined;

  /** @param gone - nobody will ask for anything of it any more */
  constructor(clock: Clock, gone: () => void) {
    this.#clock = clock;
    this.#gone = gone;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#reader = controller;
        },
        pull: () => this.#changed(),
      },
      { highWaterMark: maxTransfer, size: (piece) => piece.length },
    );
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writer = controller;
      },
      write: async (piece) => {
        this.#pieces.push(piece);
        this.#held += piece.length;
        this.#changed();
        while (this.#held > maxTransfer && !this.#over) await this.#change();
      },
    });
    this.heard();
  }

  /** The node is there. */
  heard(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#clock.after(silence, () => this.fail("The node asks no more."));
  }

  /**
   * Takes in bytes of which the first is number `at`.
   * @returns how many there are in all; undefined where some in between are missing. Fewer than were brought: there was
   *   no room within `wait` milliseconds
   */
  async up(at: number, bytes: Uint8Array, wait: number): Promise<number | undefined> {
    if (at > this.#received) return undefined;
    await this.#until(() => this.#over || (this.#reader.desiredSize ?? 0) > 0, wait);
    // What was taken before is passed over, also where the same bytes came in twice while this one waited.
    const known = this.#received - at;
    if (!this.#over && (this.#reader.desiredSize ?? 0) > 0 && known < bytes.length) {
      this.#received += bytes.length - known;
      this.#reader.enqueue(bytes.subarray(known));
    }
    return this.#received;
  }

  /** @returns undefined where `at` is not among what is held */
  async down(at: number, wait: number): Promise<Down | undefined> {
    if (at < this.#base || at > this.#base + this.#held) return undefined;
    this.#letGo(at);
    const mine = ++this.#asked;
    await this.#until(() => this.#over || this.#held > 0 || mine !== this.#asked, wait);
    // Nobody hears this answer any more: the node has asked again.
    if (mine !== this.#asked) return { bytes: new Uint8Array(), ended: false };
    const bytes = new Uint8Array(Math.min(this.#held, maxTransfer));
    let filled = 0;
    for (const piece of this.#pieces) {
      if (filled === bytes.length) break;
      const part = piece.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    const ended = this.#over && filled === this.#held;
    return { bytes, ended };
  }

  /** What was written before still reaches the node when it asks. */
  close(): void {
    this.#finish(() => this.#reader.close());
  }

  fail(reason: string): void {
    this.#finish(() => this.#reader.error(new Error(reason)));
    this.#cancelSilence();
    this.#gone();
  }

  #finish(end: () => void): void {
    if (this.#over) return;
    this.#over = true;
    end();
    this.#writer.error(new Error("The session is over."));
    this.#changed();
  }

  #letGo(at: number): void {
    let drop = at - this.#base;
    this.#base = at;
    this.#held -= drop;
    while (drop > 0) {
      const piece = this.#pieces.shift() ?? new Uint8Array();
      if (piece.length > drop) this.#pieces.unshift(piece.subarray(drop));
      drop -= Math.min(drop, piece.length);
    }
    this.#changed();
  }

  async #until(condition: () => boolean, wait: number): Promise<void> {
    let late = false;
    const callOff = this.#clock.after(wait, () => {
      late = true;
      this.#changed();
    });
    while (!condition() && !late) await this.#change();
    callOff();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  #changed(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
