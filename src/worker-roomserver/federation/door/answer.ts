import { bytesAnswer, jsonAnswer } from "../../../link/answers.ts";
import type { LinkResponse } from "../../../link/api.ts";
import { encodeUtf8 } from "../../../matrix/utf8.ts";
import { type Answer, Content, WrittenJson } from "./endpoint.ts";

export function written(answer: Answer): LinkResponse {
  if (answer instanceof WrittenJson) {
    return { status: 200, headers: [["content-type", "application/json"]], body: encoded(answer.pieces) };
  }
  if (!(answer instanceof Content)) return jsonAnswer(answer);
  const { status, headers, body } = answer;
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (body instanceof ReadableStream) return { status, headers: lowered, body };
  return body instanceof Uint8Array ? bytesAnswer(body, status, lowered) : jsonAnswer(body, status, lowered);
}

/** Piece by piece, as it is read: the answer to a join of a large room has tens of megabytes. */
function encoded(pieces: WrittenJson["pieces"]): ReadableStream<Uint8Array> {
  const iterator =
    Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(encodeUtf8(value));
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
