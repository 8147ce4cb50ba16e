import { encodeUtf8 } from "../../matrix/utf8.ts";
import { encodeFrame, type Frame, frameTypes, ProtocolError } from "../frames.ts";
import type { Budget } from "./credit.ts";
import type { InboundBody } from "./inbound-body.ts";
import type { OutboundBody } from "./outbound-body.ts";
import type { Outbox } from "./outbox.ts";

/** What the streams of a session share. */
export type Wire = { outbox: Outbox; budget: Budget };

/** The two directions of a stream, once their heads were there and said that a body follows. */
export type Bodies = { inbound: InboundBody | undefined; outbound: OutboundBody | undefined };

/** Streams of one side that may be open at a time: those that it asks for. */
export const maxStreams = 128;

/** Why an exchange is given up. */
export const abortCodes = {
  /** The request was not begun with: it may be sent again. */
  refused: 1,
  /** Who asked wants no answer any more, or cannot send the rest of the request. */
  cancelled: 2,
  /** The rest of the answer cannot be had. */
  failed: 3,
} as const;

const maxReason = 200;
const decoder = new TextDecoder();

export function abortFrame(stream: number, code: number, reason: string): Uint8Array {
  const text = encodeUtf8(reason.slice(0, maxReason));
  const payload = new Uint8Array(1 + text.length);
  payload[0] = code;
  payload.set(text, 1);
  return encodeFrame(frameTypes.abort, stream, payload);
}

export function readAbort({ payload }: Frame): { code: number; reason: string } {
  return {
    code: payload[0] ?? abortCodes.failed,
    reason: decoder.decode(payload.subarray(1, 1 + 4 * maxReason)),
  };
}

export function creditFrame(stream: number, bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, bytes);
  return encodeFrame(frameTypes.credit, stream, payload);
}

/**
 * Data, end, credit and stop of a stream that is open.
 * @throws {ProtocolError} for those of a body that there is not
 */
export function receiveForBodies({ inbound, outbound }: Bodies, frame: Frame): void {
  if (frame.type === frameTypes.data) existing(inbound).receive(frame.payload);
  else if (frame.type === frameTypes.end) existing(inbound).end();
  else if (frame.type === frameTypes.credit) existing(outbound).grant(readCredit(frame.payload));
  else if (frame.type === frameTypes.stop) existing(outbound).stop();
}

function readCredit(payload: Uint8Array): number {
  if (payload.length !== 4) throw new ProtocolError("Credit is four bytes.");
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

function existing<T>(body: T | undefined): T {
  if (body === undefined) throw new ProtocolError("A frame belongs to a body that was not announced.");
  return body;
}
