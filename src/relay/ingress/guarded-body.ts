import { MatrixError, tooLarge } from "../../matrix/errors.ts";
import { ignoreFailure } from "../body.ts";

export type GuardedBody = {
  stream: ReadableStream<Uint8Array>;
  /** Why it was broken off here; undefined as long as it was not. */
  failure(): MatrixError | undefined;
  /** Nobody reads it any more; does nothing while somebody does. */
  giveUp(): void;
};

/**
 * A stranger's body as it is passed on: it breaks off when it is too large, or nothing comes for too long while
 * somebody waits for it. Nothing is read before somebody asks.
 * @param idle - milliseconds without a byte
 */
export function guardBody(body: ReadableStream<Uint8Array>, bytes: number, idle: number): GuardedBody {
  const reader = body.getReader();
  let size = 0;
  let failure: MatrixError | undefined;

  const breakOff = (why: MatrixError, controller: ReadableStreamDefaultController<Uint8Array>) => {
    failure ??= why;
    controller.error(why);
    ignoreFailure(reader.cancel(why.message));
  };

  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const timer = setTimeout(() => {
          breakOff(new MatrixError("M_UNKNOWN", 408, "The body stopped coming."), controller);
        }, idle);
        try {
          const { done, value } = await reader.read();
          if (failure !== undefined) return;
          if (done) return controller.close();
          size += value.length;
          if (size > bytes) breakOff(tooLarge(`A body has at most ${bytes} bytes here.`), controller);
          else controller.enqueue(value);
        } finally {
          clearTimeout(timer);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const giveUp = () => ignoreFailure(stream.cancel("Nobody reads it."));
  return { stream, failure: () => failure, giveUp };
}
