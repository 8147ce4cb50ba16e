import type { ByteChannel, ChannelKind } from "../../../src/link/api.ts";

/** How bytes travel from one end to the other. */
export type Travel = {
  /** Where a piece of so many bytes is cut: the length of its first part. */
  cut?: (length: number) => number;
  /** Turns of the event loop before a part arrives. */
  delay?: () => number;
};

export type MemoryChannel = ByteChannel & {
  /** Fails both directions at both ends, as a network does. */
  break(): void;
  /** Loses all bytes from now on, both ways, and tells nobody. */
  mute(): void;
  /** All bytes written into this end, as they were. */
  readonly written: Uint8Array[];
};

/** Bytes that wait in one direction before the writer has to. */
const capacity = 64 * 1024;

/** Two ends of a connection. What is written into one can be read from the other, cut and late as `travel` says. */
export function memoryChannels(
  kind: ChannelKind = "websocket",
  travel: Travel = {},
): [MemoryChannel, MemoryChannel] {
  const there = new Pipe(travel);
  const back = new Pipe(travel);
  const close = () => {
    there.close();
    back.close();
  };
  const fail = () => {
    there.fail(new Error("The network is gone."));
    back.fail(new Error("The network is gone."));
  };
  const end = (from: Pipe, to: Pipe): MemoryChannel => ({
    kind,
    readable: from.readable,
    writable: to.writable,
    close,
    break: fail,
    mute: () => {
      there.muted = true;
      back.muted = true;
    },
    written: to.written,
  });
  return [end(back, there), end(there, back)];
}

class Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly written: Uint8Array[] = [];
  muted = false;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #over = false;
  #asked = false;
  #wake: (() => void) | undefined;

  constructor({ cut = (length) => length, delay = () => 0 }: Travel) {
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#reader = controller;
        },
        pull: () => {
          this.#asked = true;
          this.#wake?.();
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#writer = controller;
        },
        write: async (piece) => {
          this.written.push(piece.slice());
          for (let rest = piece; rest.length > 0 && !this.#over && !this.muted; ) {
            for (let turns = delay(); turns > 0; turns--) await turn();
            const size = Math.min(rest.length, Math.max(1, cut(rest.length)));
            await this.#demand();
            if (this.#over) return;
            this.#reader.enqueue(rest.slice(0, size));
            rest = rest.subarray(size);
          }
        },
      },
      { highWaterMark: capacity, size: (piece) => piece.length },
    );
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.close();
    this.#writer.error(new Error("The channel is closed."));
    this.#wake?.();
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.error(error);
    this.#writer.error(error);
    this.#wake?.();
  }

  /** Until somebody reads. */
  async #demand(): Promise<void> {
    while (!this.#asked && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // Before the piece is handed over: a second reader may ask within that.
    this.#asked = false;
  }
}

// Both Node and Deno have it; the types that the relay's tests are checked with do not know it.
const { setImmediate } = globalThis as unknown as { setImmediate(run: () => void): void };

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
