import { joined } from "../link/bodies.ts";
import { MatrixError, notJson, tooLarge } from "../matrix/errors.ts";
import type { JsonValue } from "../matrix/json.ts";
import { parseJsonText } from "../matrix/json-text.ts";

/** What of a stranger's body is waited for and kept. */
export type BodyLimits = {
  bytes: number;
  /** Milliseconds for all of it. */
  time: number;
  /** Where given, what all bodies together may take. */
  space?: Space;
};

/** Memory that bodies share which are read whole. */
export type Space = { take(bytes: number): boolean; give(bytes: number): void };

export function openSpace(bytes: number): Space {
  let left = bytes;
  return {
    take: (wanted) => {
      if (wanted > left) return false;
      left -= wanted;
      return true;
    },
    give: (returned) => {
      left += returned;
    },
  };
}

/**
 * Reads a body whole. What it takes of the space is the caller's to give back, once it is done with the bytes.
 * @throws {MatrixError} M_TOO_LARGE (413), M_UNKNOWN (408) when it does not come in time, M_LIMIT_EXCEEDED (503) when
 *   there is no space; nothing is taken then. M_UNKNOWN (400) for one that breaks off
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  { bytes, time, space }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    ignoreFailure(reader.cancel("It took too long."));
  }, time);
  const fail = (error: MatrixError) => {
    space?.give(size);
    ignoreFailure(reader.cancel(error.message));
    return error;
  };
  try {
    for (;;) {
      const { done, value } = await readPiece(reader).catch((error: unknown) => {
        throw fail(new MatrixError("M_UNKNOWN", 400, `The body broke off: ${String(error)}`));
      });
      if (late) throw fail(new MatrixError("M_UNKNOWN", 408, "The body did not come in time."));
      if (done) break;
      if (size + value.length > bytes) throw fail(tooLarge(`A body has at most ${bytes} bytes here.`));
      if (space?.take(value.length) === false) {
        throw fail(new MatrixError("M_LIMIT_EXCEEDED", 503, "The relay reads too much at once: try again."));
      }
      size += value.length;
      pieces.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  return joined(pieces, size);
}

const readPiece = (reader: ReadableStreamDefaultReader<Uint8Array>) => reader.read();

/** For ending what has been given up: that it was over already tells nobody anything. */
export function ignoreFailure(ending: Promise<unknown>): void {
  ending.catch(() => undefined);
}

/** @throws {MatrixError} M_NOT_JSON or M_BAD_JSON (400) */
export function parseBody(body: Uint8Array): JsonValue {
  return parseJsonText(textOf(body), { integersOnly: false });
}

/** @throws {MatrixError} M_NOT_JSON (400) for what is not UTF-8 */
export function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (error) {
    if (error instanceof TypeError) throw notJson("The body is not UTF-8.");
    throw error;
  }
}
