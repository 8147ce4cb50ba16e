import { LinkError, type LinkRequest, type LinkResponse } from "../api.ts";
import { encodeFrame, type Frame, frameTypes, ProtocolError } from "../frames.ts";
import { decodeResponseHead, encodeRequestHead } from "../heads.ts";
import {
  abortCodes,
  abortFrame,
  creditFrame,
  maxStreams,
  readAbort,
  receiveForBodies,
  type Wire,
} from "./exchange.ts";
import { InboundBody } from "./inbound-body.ts";
import { OutboundBody } from "./outbound-body.ts";
import { Slots } from "./slots.ts";

type Asked = {
  id: number;
  /** Whether the head was given to the channel: from then on the peer may have begun. */
  sent: boolean;
  resolve(response: LinkResponse): void;
  reject(error: unknown): void;
  answered: boolean;
  inbound: InboundBody | undefined;
  outbound: OutboundBody | undefined;
  /** The request has gone out whole. */
  upEnded: boolean;
  /** The answer was read whole. */
  downEnded: boolean;
  /** Takes the listener off the caller's signal. */
  forget(): void;
};

/** Requests that wait for a stream to be free. Each is somebody's memory. */
const maxWaiting = 1024;

/** The exchanges that this side has asked for. */
export class Asking {
  readonly #wire: Wire;
  readonly #idle: () => void;
  readonly #asked = new Map<number, Asked>();
  readonly #slots = new Slots(maxStreams, maxWaiting);
  #nextId: number;
  /** Why no more is asked, and which ids the peer has taken at most. */
  #closed: { reason: string; taken: number } | undefined;

  /**
   * @param firstId - 1 for the node, 2 for the relay: each counts up by two
   * @param idle - called whenever the last exchange is over
   */
  constructor(wire: Wire, firstId: 1 | 2, idle: () => void) {
    this.#wire = wire;
    this.#nextId = firstId;
    this.#idle = idle;
  }

  get open(): number {
    return this.#asked.size;
  }

  /** Whether a stream is one of this side's. */
  owns(stream: number): boolean {
    return stream % 2 === this.#nextId % 2;
  }

  async request(request: LinkRequest, signal?: AbortSignal): Promise<LinkResponse> {
    let head: Uint8Array;
    try {
      signal?.throwIfAborted();
      head = encodeRequestHead({ ...request, hasBody: request.body !== undefined });
      const turn = this.#slots.take(signal);
      if (turn !== undefined) await turn;
      if (signal?.aborted || this.#closed !== undefined) {
        // In the moment between the turn being given and taken.
        this.#slots.giveBack();
        signal?.throwIfAborted();
        throw new LinkError(this.#closed?.reason ?? "", true);
      }
    } catch (error) {
      letGo(request.body, error);
      if (error instanceof TypeError) throw new LinkError(error.message, true);
      throw error;
    }
    return new Promise((resolve, reject) => this.#ask(head, request.body, signal, resolve, reject));
  }

  /** @throws {ProtocolError} */
  receive(frame: Frame): void {
    const asked = this.#asked.get(frame.stream);
    if (asked === undefined) {
      if (!this.owns(frame.stream) || frame.stream >= this.#nextId)
        throw new ProtocolError("A stream was answered that was not opened.");
      // It is over here, and the peer did not know that yet.
      return;
    }
    if (frame.type === frameTypes.response) this.#answer(asked, frame);
    else if (frame.type === frameTypes.abort) {
      const { code, reason } = readAbort(frame);
      const untouched = code === abortCodes.refused && !asked.answered;
      this.#fail(asked, new LinkError(`The peer gave the request up: ${reason}`, untouched));
    } else receiveForBodies(asked, frame);
  }

  /**
   * Asks for nothing more. Requests that the peer will not begin with fail at once.
   * @param taken - the highest id that the peer may have begun with
   */
  close(reason: string, taken: number): void {
    this.#closed ??= { reason, taken };
    this.#slots.close(reason);
    for (const asked of this.#asked.values()) {
      if (asked.id > taken) this.#fail(asked, new LinkError(reason, true));
    }
  }

  /** Ends all of it: the session is over. */
  end(reason: string): void {
    const taken = this.#closed?.taken ?? Number.POSITIVE_INFINITY;
    this.#closed = { reason, taken };
    this.#slots.close(reason);
    for (const asked of this.#asked.values()) {
      this.#fail(asked, new LinkError(reason, !asked.sent || asked.id > taken));
    }
  }

  #ask(
    head: Uint8Array,
    body: ReadableStream<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
    resolve: Asked["resolve"],
    reject: Asked["reject"],
  ): void {
    const id = this.#nextId;
    this.#nextId += 2;
    const abort = () => this.#giveUp(asked, signal?.reason, "Nobody wants the answer any more.");
    const asked: Asked = {
      id,
      sent: false,
      resolve,
      reject,
      answered: false,
      inbound: undefined,
      outbound: undefined,
      upEnded: body === undefined,
      downEnded: false,
      forget: () => signal?.removeEventListener("abort", abort),
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#asked.set(id, asked);
    this.#wire.outbox.send(encodeFrame(frameTypes.request, id, head), () => {
      asked.sent = true;
    });
    if (body === undefined) return;
    asked.outbound = new OutboundBody(body, id, this.#wire.outbox, {
      ended: () => {
        asked.upEnded = true;
        this.#finish(asked);
      },
      failed: (error) => this.#giveUp(asked, error, "The rest of the request cannot be had."),
    });
  }

  #answer(asked: Asked, frame: Frame): void {
    if (asked.answered) throw new ProtocolError("A request was answered twice.");
    const { status, headers, hasBody } = decodeResponseHead(frame.payload);
    asked.answered = true;
    if (hasBody) {
      asked.inbound = new InboundBody(this.#wire.budget, {
        grant: (bytes) => this.#wire.outbox.send(creditFrame(asked.id, bytes)),
        cancelled: (reason) => this.#giveUp(asked, reason, "Nobody reads the answer any more."),
        released: () => {
          asked.downEnded = true;
          // Cancelled and failed ones are finished by whoever did that.
          if (asked.inbound?.ended) this.#finish(asked);
        },
      });
    } else asked.downEnded = true;
    asked.resolve({ status, headers, body: asked.inbound?.stream });
    this.#finish(asked);
  }

  #finish(asked: Asked): void {
    if (asked.upEnded && asked.downEnded) this.#remove(asked);
  }

  #giveUp(asked: Asked, error: unknown, reason: string): void {
    if (this.#asked.get(asked.id) !== asked) return;
    this.#wire.outbox.send(abortFrame(asked.id, abortCodes.cancelled, reason));
    this.#fail(asked, error);
  }

  #fail(asked: Asked, error: unknown): void {
    this.#remove(asked);
    asked.outbound?.abandon(error);
    asked.inbound?.fail(error);
    asked.reject(error);
  }

  #remove(asked: Asked): void {
    if (!this.#asked.delete(asked.id)) return;
    asked.forget();
    this.#slots.giveBack();
    if (this.#asked.size === 0) this.#idle();
  }
}

function letGo(body: ReadableStream<Uint8Array> | undefined, reason: unknown): void {
  // Its maker hears of it; that it cannot be cancelled (as somebody reads it) is no news to anybody.
  body?.cancel(reason).catch(() => undefined);
}
