/**
 * The same stream, which fails when nobody reads on for so long: a reader that keeps an answer open must not keep what
 * it comes from. Nothing is read ahead.
 * @param limit - milliseconds
 */
export function unlessUnread(
  source: ReadableStream<Uint8Array>,
  limit: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waitForReader = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    timer = setTimeout(() => {
      const reason = new Error("nobody has read on for too long");
      controller.error(reason);
      reader.cancel(reason).catch(() => undefined);
    }, limit);
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: waitForReader,
      async pull(controller) {
        clearTimeout(timer);
        const { done, value } = await reader.read();
        if (done) return controller.close();
        controller.enqueue(new Uint8Array(value));
        waitForReader(controller);
      },
      cancel(reason) {
        clearTimeout(timer);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
