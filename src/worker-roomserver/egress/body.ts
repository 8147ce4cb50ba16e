import { type EgressAnswer, type EgressFailure, isFailure } from "./api.ts";

/** All of a body. */
export function bytesOf(answer: EgressAnswer): Promise<Uint8Array<ArrayBuffer> | EgressFailure> {
  return beginningOf(answer, Number.POSITIVE_INFINITY);
}

/** The first so many bytes of a body, or all that there is; what follows is not fetched. */
export async function beginningOf(
  { body }: EgressAnswer,
  most: number,
): Promise<Uint8Array<ArrayBuffer> | EgressFailure> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = body?.getReader();
  try {
    while (reader !== undefined && length < most) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
    }
    await reader?.cancel();
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  const whole = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return whole.subarray(0, most);
}

/**
 * The same body with its limits, for who implements an Egress. Fetched only as fast as it is read, so that one that does
 * not end fills no memory.
 * @param signal - aborted when the time is over
 */
export function limited(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const timeIsOver = abortOf(signal);
  let length = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          // Whoever sends may go on for ever without sending anything.
          const { done, value } = await Promise.race([reader.read(), timeIsOver]);
          if (done) return controller.close();
          length += value.length;
          if (length <= maxBytes) return controller.enqueue(value as Uint8Array<ArrayBuffer>);
          await reader.cancel();
          controller.error({
            failure: "tooLarge",
            why: `The answer has more than ${maxBytes} bytes.`,
          } satisfies EgressFailure);
        } catch (error) {
          controller.error(failureOf(error, signal));
          // It has failed already, or does not answer to this either.
          reader.cancel(error).catch(() => undefined);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Fails when the signal is aborted. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // Mostly nobody waits for it any more.
  aborted.catch(() => undefined);
  return aborted;
}

/** What an error means that came in place of an answer, or in the midst of one. */
export const failureOf = (error: unknown, signal: AbortSignal): EgressFailure =>
  signal.aborted
    ? { failure: "timeout", why: "There was no answer in time." }
    : { failure: "unreachable", why: String(error) };
