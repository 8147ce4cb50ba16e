import type { LinkResponse } from "../../../../src/link/api.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";

// What servers answer that mean no good, or are not well: for `Peer.override`.

const json = [["content-type", "application/json"]] as const;

/** A body that begins as JSON and never ends, as fast as it is read. */
export const endlessAnswer = (): LinkResponse => {
  const piece = encodeUtf8(`${"[".repeat(65_536)}`);
  return {
    ...{ status: 200, headers: json },
    body: new ReadableStream(
      { start: (to) => to.enqueue(encodeUtf8('{"a":')), pull: (to) => to.enqueue(piece) },
      { highWaterMark: 0 },
    ),
  };
};

/** A body of which nothing comes after its first bytes. */
export const stallingAnswer = (): LinkResponse => ({
  ...{ status: 200, headers: json },
  body: new ReadableStream({ start: (to) => to.enqueue(encodeUtf8('{"a":')) }),
});

/** An object of so many bytes. */
export const hugeAnswer = (bytes: number): LinkResponse => ({
  ...{ status: 200, headers: json },
  body: new Blob([`{"a":"${"x".repeat(bytes - 8)}"}`]).stream(),
});

/** Bytes that are no JSON, or not even text. */
export const rawAnswer = (body: string | Uint8Array<ArrayBuffer>, status = 200): LinkResponse => ({
  ...{ status, headers: json },
  body: new Blob([body]).stream(),
});

/** Never answers. */
export const neverAnswers = (): Promise<never> => new Promise(() => undefined);
