import { unknown } from "../../matrix/errors.ts";
import { LinkError, type LinkHandler, type LinkResponse } from "../api.ts";
import { encodeFrame, type Frame, frameTypes, ProtocolError } from "../frames.ts";
import { decodeRequestHead, encodeResponseHead, type RequestHead } from "../heads.ts";
import { encodeJsonPayload } from "../json-payload.ts";
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

type Taken = {
  id: number;
  abort: AbortController;
  inbound: InboundBody | undefined;
  outbound: OutboundBody | undefined;
  /** The handler has come back. It may take a while to notice that nobody wants its answer. */
  settled: boolean;
  /** The answer has gone out whole. */
  downEnded: boolean;
  /** Given up by either side. */
  aborted: boolean;
};

/**
 * Handlers at work, more than `maxStreams`: those that were given up go on a little, and who gives up a request may
 * ask the next one at once.
 */
const maxAtWork = 2 * maxStreams;

/** The exchanges that the peer has asked for. */
export class Answering {
  readonly #wire: Wire;
  readonly #parity: 0 | 1;
  readonly #handler: LinkHandler;
  readonly #log: (error: unknown) => void;
  readonly #idle: () => void;
  readonly #open = new Map<number, Taken>();
  #last = 0;
  #taken = 0;
  #closed = false;

  /**
   * @param firstId - of the peer's streams
   * @param log - what a handler has thrown
   * @param idle - called whenever the last exchange is over
   */
  constructor(
    wire: Wire,
    firstId: 1 | 2,
    handler: LinkHandler,
    log: (error: unknown) => void,
    idle: () => void,
  ) {
    this.#wire = wire;
    this.#parity = firstId === 1 ? 1 : 0;
    this.#handler = handler;
    this.#log = log;
    this.#idle = idle;
  }

  get open(): number {
    return this.#open.size;
  }

  /** The highest id that was begun with. */
  get taken(): number {
    return this.#taken;
  }

  /** Refuses what comes from now on. */
  close(): void {
    this.#closed = true;
  }

  /** @throws {ProtocolError} */
  receive(frame: Frame): void {
    if (frame.type === frameTypes.request) {
      this.#begin(frame);
      return;
    }
    const taken = this.#open.get(frame.stream);
    if (taken === undefined || taken.aborted) {
      if (frame.stream > this.#last)
        throw new ProtocolError("A frame belongs to a stream that was not opened.");
      // It is over here, and the peer did not know that yet.
      return;
    }
    if (frame.type === frameTypes.abort) this.#giveUp(taken, new LinkError(readAbort(frame).reason, false));
    else receiveForBodies(taken, frame);
    this.#finish(taken);
  }

  /** Ends all of it: the session is over. */
  end(reason: string): void {
    this.#closed = true;
    for (const taken of this.#open.values()) this.#giveUp(taken, new LinkError(reason, false));
  }

  #begin({ stream: id, payload }: Frame): void {
    if (id % 2 !== this.#parity || id <= this.#last)
      throw new ProtocolError("A stream was opened out of turn.");
    this.#last = id;
    const head = decodeRequestHead(payload);
    if (this.#closed || this.#open.size >= maxAtWork) {
      const reason = this.#closed ? "No more requests are taken." : "Too many requests at once.";
      this.#wire.outbox.send(abortFrame(id, abortCodes.refused, reason));
      return;
    }
    this.#taken = id;
    const taken: Taken = {
      id,
      abort: new AbortController(),
      inbound: undefined,
      outbound: undefined,
      settled: false,
      downEnded: false,
      aborted: false,
    };
    if (head.hasBody) {
      taken.inbound = new InboundBody(this.#wire.budget, {
        grant: (bytes) => this.#wire.outbox.send(creditFrame(id, bytes)),
        cancelled: () => {
          if (!taken.inbound?.ended) this.#wire.outbox.send(encodeFrame(frameTypes.stop, id));
        },
        released: () => undefined,
      });
    }
    this.#open.set(id, taken);
    void this.#handle(taken, head);
  }

  async #handle(taken: Taken, { method, target, headers }: RequestHead): Promise<void> {
    let response: LinkResponse;
    let head: Uint8Array;
    try {
      response = await this.#handler(
        { method, target, headers, body: taken.inbound?.stream },
        taken.abort.signal,
      );
      head = encodeResponseHead({ ...response, hasBody: response.body !== undefined });
    } catch (error) {
      if (!taken.aborted) this.#log(error);
      response = failure();
      head = encodeResponseHead({ ...response, hasBody: true });
    }
    taken.settled = true;
    if (taken.aborted) {
      response.body?.cancel(taken.abort.signal.reason).catch(() => undefined);
      return this.#finish(taken);
    }
    try {
      this.#answer(taken, head, response.body);
    } catch (error) {
      // A body that somebody else reads already.
      this.#log(error);
      this.#fail(taken, error);
    }
  }

  #answer(taken: Taken, head: Uint8Array, body: ReadableStream<Uint8Array> | undefined): void {
    const { outbox } = this.#wire;
    const ended = () => {
      taken.downEnded = true;
      this.#stopRequest(taken);
      this.#finish(taken);
    };
    // Counts until it is written: who does not read answers cannot ask for more and more of them.
    outbox.send(encodeFrame(frameTypes.response, taken.id, head), body === undefined ? ended : undefined);
    if (body === undefined) return;
    taken.outbound = new OutboundBody(body, taken.id, outbox, {
      ended,
      failed: (error) => {
        this.#log(error);
        this.#fail(taken, error);
      },
    });
  }

  /** The answer is there whole: nobody reads the rest of the request. */
  #stopRequest({ id, inbound }: Taken): void {
    if (inbound === undefined) return;
    if (!inbound.ended) this.#wire.outbox.send(encodeFrame(frameTypes.stop, id));
    inbound.fail(new LinkError("The request is answered.", false));
  }

  #fail(taken: Taken, error: unknown): void {
    if (taken.aborted) return;
    this.#wire.outbox.send(abortFrame(taken.id, abortCodes.failed, "The answer broke off."));
    this.#giveUp(taken, error);
  }

  #giveUp(taken: Taken, reason: unknown): void {
    if (taken.aborted) return;
    taken.aborted = true;
    taken.outbound?.abandon(reason);
    taken.inbound?.fail(reason);
    taken.abort.abort(reason);
    this.#finish(taken);
  }

  #finish(taken: Taken): void {
    const done = taken.aborted || (taken.downEnded && (taken.inbound?.ended ?? true));
    if (!done || !taken.settled || !this.#open.delete(taken.id)) return;
    if (this.#open.size === 0) this.#idle();
  }
}

function failure(): LinkResponse {
  const body = encodeJsonPayload(unknown("Something went wrong with this request."));
  return {
    status: 500,
    headers: [["content-type", "application/json"]],
    body: new ReadableStream({
      start(controller) {
        controller.enqueue(body);
        controller.close();
      },
    }),
  };
}
