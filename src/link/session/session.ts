import type {
  ByteChannel,
  ChannelKind,
  Link,
  LinkEnd,
  LinkHandler,
  LinkRequest,
  LinkResponse,
} from "../api.ts";
import type { Clock } from "../clock.ts";
import type { FrameReader } from "../frame-reader.ts";
import { type Frame, frameTypes, ProtocolError } from "../frames.ts";
import { Answering } from "./answering.ts";
import { Asking } from "./asking.ts";
import { closeFrame, readClose } from "./close-frame.ts";
import { Budget } from "./credit.ts";
import { KeepAlive, type KeepAliveOptions } from "./keep-alive.ts";
import { Outbox } from "./outbox.ts";
import { Pings } from "./pings.ts";

export type SessionOptions = {
  channel: ByteChannel;
  /** Of this channel, with the handshake behind it. */
  frames: FrameReader;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  side: "node" | "relay";
  /** The server name that the node has proved. */
  serverName: string;
  handler: LinkHandler;
  clock: Clock;
  keepAlive: KeepAliveOptions;
  /** Errors of handlers and of bodies. */
  log: (error: unknown) => void;
};

/** What a session holds now: nothing but zeros and the whole budget when no exchange is under way. */
export type SessionUse = { asked: number; answering: number; budget: number };

/** How long the peer has to close the channel after our last word, in milliseconds. */
const lastWord = 2000;
/** How long exchanges under way may go on after `close`, when nothing else is said. */
const defaultGrace = 10_000;

/** HTTP exchanges in both directions over one channel. Both sides are alike but for the ids of their streams. */
export class Session implements Link {
  readonly kind: ChannelKind;
  readonly serverName: string;
  readonly ended: Promise<LinkEnd>;
  readonly #channel: ByteChannel;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #budget = new Budget();
  readonly #asking: Asking;
  readonly #answering: Answering;
  readonly #pings: Pings;
  readonly #keepAlive: KeepAlive;
  #resolveEnded: (end: LinkEnd) => void = () => undefined;
  #over = false;
  /** What the peer will hear as the last word, once nothing is under way any more. */
  #closing: LinkEnd | undefined;
  #cancelClosing: () => void = () => undefined;

  constructor({ channel, frames, writer, side, serverName, handler, clock, keepAlive, log }: SessionOptions) {
    this.kind = channel.kind;
    this.serverName = serverName;
    this.#channel = channel;
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#outbox = new Outbox(
      writer,
      (error) => this.#fail(error),
      () => this.#keepAlive.sent(),
    );
    const wire = { outbox: this.#outbox, budget: this.#budget };
    const [own, theirs] = side === "node" ? ([1, 2] as const) : ([2, 1] as const);
    const idle = () => this.#sayLastWord();
    this.#asking = new Asking(wire, own, idle);
    this.#answering = new Answering(wire, theirs, handler, log, idle);
    this.#pings = new Pings(this.#outbox, clock);
    this.#keepAlive = new KeepAlive(
      clock,
      keepAlive,
      // Whether an answer comes is seen by anything that comes.
      () => void this.#pings.ping().catch(() => undefined),
      () => this.#end({ kind: "broken", reason: "Nothing comes from the other side any more." }),
    );
    void this.#read(frames);
  }

  get use(): SessionUse {
    return { asked: this.#asking.open, answering: this.#answering.open, budget: this.#budget.left };
  }

  request(request: LinkRequest, signal?: AbortSignal): Promise<LinkResponse> {
    return this.#asking.request(request, signal);
  }

  ping(): Promise<number> {
    return this.#pings.ping();
  }

  async close(reason: string, grace = defaultGrace): Promise<void> {
    this.closeAs({ kind: "closed", reason }, grace);
    await this.ended;
  }

  /** As `close`, with a kind that the peer is told. Only the first call counts, but a later one may be in more haste. */
  closeAs(end: LinkEnd, grace: number): void {
    if (this.#over) return;
    if (this.#closing === undefined) {
      this.#closing = end;
      this.#answering.close();
      this.#outbox.send(closeFrame({ ...end, taken: this.#answering.taken, final: false }));
      this.#asking.close(end.reason, Number.POSITIVE_INFINITY);
    }
    this.#cancelClosing();
    this.#cancelClosing = this.#clock.after(grace, () => this.#sayLastWord(true));
    this.#sayLastWord();
  }

  async #read(frames: FrameReader): Promise<void> {
    try {
      for (;;) {
        const frame = await frames.next();
        if (this.#over) return;
        if (frame === undefined) break;
        this.#keepAlive.heard();
        this.#receive(frame);
      }
      this.#end(this.#closing ?? { kind: "closed", reason: "The other side has closed the connection." });
    } catch (error) {
      this.#fail(error);
    }
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case frameTypes.request:
        this.#answering.receive(frame);
        break;
      case frameTypes.response:
        this.#asking.receive(frame);
        break;
      case frameTypes.data:
      case frameTypes.end:
      case frameTypes.stop:
      case frameTypes.abort:
      case frameTypes.credit:
        this.#exchangesOf(frame.stream).receive(frame);
        break;
      case frameTypes.ping:
      case frameTypes.pong:
        this.#pings.receive(frame);
        break;
      case frameTypes.close:
        this.#receiveClose(frame);
        break;
      case frameTypes.hello:
        throw new ProtocolError("The handshake is over.");
    }
  }

  #exchangesOf(stream: number): Asking | Answering {
    return this.#asking.owns(stream) ? this.#asking : this.#answering;
  }

  #receiveClose(frame: Frame): void {
    const { kind, reason, taken, final } = readClose(frame);
    this.#asking.close(reason, taken);
    if (final) this.#end({ kind, reason });
  }

  /** Tells the peer that this was all, when it was, and waits for it to close the channel. */
  #sayLastWord(now = false): void {
    const end = this.#closing;
    if (end === undefined || this.#over) return;
    if (!now && this.#asking.open + this.#answering.open > 0) return;
    this.#cancelClosing();
    this.#cancelClosing = this.#clock.after(lastWord, () => this.#end(end));
    this.#outbox.send(closeFrame({ ...end, taken: this.#answering.taken, final: true }));
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    const reason = error instanceof Error ? error.message : "The connection broke.";
    if (!(error instanceof ProtocolError)) {
      this.#end({ kind: "broken", reason });
      return;
    }
    const end: LinkEnd = { kind: "protocol", reason };
    // It may never be read: nothing waits for that.
    this.#outbox.send(closeFrame({ ...end, taken: this.#answering.taken, final: true }));
    this.#end(end, lastWord);
  }

  /** @param linger - leaves the channel open so long, for what was written to be read */
  #end(end: LinkEnd, linger = 0): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelClosing();
    this.#keepAlive.stop();
    this.#asking.end(end.reason);
    this.#answering.end(end.reason);
    this.#pings.end(end.reason);
    if (linger === 0) this.#shut(end);
    else this.#clock.after(linger, () => this.#shut(end));
    this.#resolveEnded(end);
  }

  #shut(end: LinkEnd): void {
    this.#outbox.stop();
    this.#channel.close(end.reason);
  }
}
