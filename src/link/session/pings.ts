import { LinkError } from "../api.ts";
import type { Clock } from "../clock.ts";
import { encodeFrame, type Frame, frameTypes, ProtocolError } from "../frames.ts";
import type { Outbox } from "./outbox.ts";

type Waiting = { asked: number; resolve(milliseconds: number): void; reject(error: LinkError): void };

const pingBytes = 8;

/** Asks the peer whether it is there, and how long that takes. */
export class Pings {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: string | undefined;

  constructor(outbox: Outbox, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
  }

  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new LinkError(this.#ended, true));
      this.#waiting.set(this.#next, { asked: this.#clock.now(), resolve, reject });
      this.#send(frameTypes.ping, this.#next++);
    });
  }

  /** @throws {ProtocolError} */
  receive({ type, payload }: Frame): void {
    if (payload.length !== pingBytes) throw new ProtocolError("A ping is eight bytes.");
    if (type === frameTypes.ping) {
      this.#outbox.send(encodeFrame(frameTypes.pong, 0, payload));
      return;
    }
    const number = new DataView(payload.buffer, payload.byteOffset).getUint32(4);
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    waiting?.resolve(this.#clock.now() - waiting.asked);
  }

  end(reason: string): void {
    this.#ended = reason;
    for (const { reject } of this.#waiting.values()) reject(new LinkError(reason, true));
    this.#waiting.clear();
  }

  #send(type: number, number: number): void {
    const payload = new Uint8Array(pingBytes);
    new DataView(payload.buffer).setUint32(4, number);
    this.#outbox.send(encodeFrame(type, 0, payload));
  }
}
