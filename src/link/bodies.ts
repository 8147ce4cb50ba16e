/**
 * Reads a body whole, piece by piece, so that one that does not end fills no memory.
 * @throws Error for one of more than `maxBytes`
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | undefined,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === undefined) return new Uint8Array();
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new BodyTooLong(`The body has more than ${maxBytes} bytes.`);
    }
    pieces.push(value);
  }
  return joined(pieces, length);
}

/** @param length - of all pieces together */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

export function bodyOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
