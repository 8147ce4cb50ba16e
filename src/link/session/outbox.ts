import { ProtocolError } from "../frames.ts";

/** Has pieces of a body to send, when its turn comes. */
export type Sender = {
  /** The next frame, or undefined when there is none now. */
  take(): Uint8Array | undefined;
};

type Queued = { frame: Uint8Array; taken: (() => void) | undefined };

/** Written at once at most: large enough for throughput, small enough that what comes next waits for little. */
const batchBytes = 64 * 1024;
/**
 * A small body is there with its head, and its end with it, but for some turns of promises: then all of it goes in one
 * write, and wakes the other side once.
 */
const gatherTurns = 8;
/**
 * Frames other than pieces of bodies that wait to be written. All that an honest peer can make us say fits: some frames
 * for each of its streams. Whoever asks on and does not read the answers is cut off.
 */
const maxQueued = 4096;

/**
 * Writes the frames of all streams to the channel. Small frames go first; bodies take turns, one piece each; nothing
 * is taken from a body before the channel is ready for it.
 */
export class Outbox {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #broken: (error: unknown) => void;
  readonly #wrote: () => void;
  #queue: Queued[] = [];
  readonly #senders = new Set<Sender>();
  #wake: (() => void) | undefined;
  #stopped = false;

  /**
   * @param broken - called once, when the channel can be written to no more, or the peer does not read
   * @param wrote - called each time that something is given to the channel
   */
  constructor(
    writer: WritableStreamDefaultWriter<Uint8Array>,
    broken: (error: unknown) => void,
    wrote: () => void,
  ) {
    this.#writer = writer;
    this.#broken = broken;
    this.#wrote = wrote;
    void this.#run();
  }

  /** @param taken - called when the frame is given to the channel: from then on the peer may have it */
  send(frame: Uint8Array, taken?: () => void): void {
    if (this.#stopped) return;
    if (this.#queue.length >= maxQueued) {
      this.#fail(new ProtocolError("The peer does not read what it has asked for."));
      return;
    }
    this.#queue.push({ frame, taken });
    this.#wake?.();
  }

  /** Gives the sender turns until it has nothing to send. */
  schedule(sender: Sender): void {
    this.#senders.add(sender);
    this.#wake?.();
  }

  withdraw(sender: Sender): void {
    this.#senders.delete(sender);
  }

  /** Drops what was not written. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#senders.clear();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        if (this.#queue.length === 0 && this.#senders.size === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
          continue;
        }
        await this.#writer.ready;
        const batch = await this.#gather();
        if (batch.length > 0 && !this.#stopped) {
          this.#writer.write(join(batch)).catch((error) => this.#fail(error));
          this.#wrote();
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is there, and what of it comes while promises settle. */
  async #gather(): Promise<Uint8Array[]> {
    const batch: Uint8Array[] = [];
    let bytes = 0;
    for (let turn = 0; turn < gatherTurns && bytes < batchBytes && !this.#stopped; turn++) {
      if (turn > 0) await undefined;
      if (this.#queue.length === 0 && this.#senders.size === 0) continue;
      bytes += this.#take(batch, batchBytes - bytes);
      turn = 0;
    }
    return batch;
  }

  /** @returns how many bytes have come to the batch */
  #take(batch: Uint8Array[], most: number): number {
    let bytes = 0;
    let count = 0;
    for (; count < this.#queue.length && bytes < most; count++) {
      const { frame, taken } = this.#queue[count] as Queued;
      batch.push(frame);
      bytes += frame.length;
      taken?.();
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    // One piece at least, so that many small requests do not stop a large body for good.
    do {
      const [sender] = this.#senders;
      if (sender === undefined) break;
      this.#senders.delete(sender);
      const frame = sender.take();
      if (frame === undefined) continue;
      batch.push(frame);
      bytes += frame.length;
      // To the end of the line.
      this.#senders.add(sender);
    } while (bytes < most);
    return bytes;
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#broken(error);
  }
}

function join(frames: Uint8Array[]): Uint8Array {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) return first;
  const joined = new Uint8Array(frames.reduce((length, frame) => length + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}
