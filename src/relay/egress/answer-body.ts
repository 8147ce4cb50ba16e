import type { IncomingMessage } from "node:http";
import { EgressFailure } from "./failure.ts";
import type { Watch } from "./watch.ts";

/**
 * The body of an answer, read no faster than it is taken. It fails where the answer was broken off, was too large or
 * took too long: what ends well is whole.
 * @param over - told once, when the body has ended or failed or is not wanted any more
 */
export function answerBody(
  answer: IncomingMessage,
  maxBytes: number,
  watch: Watch,
  over: () => void,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  let done = false;
  const finish = (act: () => void) => {
    if (done) return;
    done = true;
    act();
    over();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (reason: unknown) => finish(() => controller.error(reason));
        const cutOff = () =>
          fail(watch.failure() ?? new EgressFailure("broken", "The answer was broken off."));
        answer.on("data", (chunk: Uint8Array) => {
          if (done) return;
          bytes += chunk.length;
          if (bytes > maxBytes) {
            fail(new EgressFailure("broken", `The answer has more than ${maxBytes} bytes.`));
            answer.destroy();
            return;
          }
          // A copy: the one that came may lie in a buffer that is used again.
          controller.enqueue(new Uint8Array(chunk));
          if ((controller.desiredSize ?? 0) > 0) watch.heard();
          else {
            answer.pause();
            watch.pause();
          }
        });
        answer.on("end", () => (answer.complete ? finish(() => controller.close()) : cutOff()));
        answer.on("error", cutOff);
        answer.on("close", cutOff);
        answer.pause();
      },
      pull() {
        watch.heard();
        answer.resume();
      },
      cancel() {
        finish(() => answer.destroy());
      },
    },
    // One piece ahead: what is not taken stays with the other server.
    { highWaterMark: 1 },
  );
}
