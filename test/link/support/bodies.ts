/** All bytes of a body. */
export async function readAll(body: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const reader = body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) break;
    pieces.push(value);
  }
  return joined(pieces);
}

/** A body of these pieces; `cancelled` counts how often it was given up. */
export function bodyOf(pieces: readonly Uint8Array[]) {
  const rest = [...pieces];
  const seen = { pulled: 0, cancelled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = rest.shift();
        if (piece === undefined) return controller.close();
        seen.pulled += piece.length;
        controller.enqueue(piece);
      },
      cancel() {
        seen.cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

export function bytesOf(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + (index >> 8) + salt;
  return bytes;
}

/** Whether two bodies are the same: quick, where a matcher would go through them byte by byte. */
export function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
