import { type TransferHandler, transferHandlers } from "comlink";
import { MatrixError } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { JsonBytes } from "./requester.ts";

/** A structured clone drops an error's subclass and members, so errors cross a port as data. */
type WireError =
  | { kind: "matrix"; errcode: string; status: number; message: string; extra: JsonObject }
  | { kind: "other"; name: string; message: string; stack: string | undefined };

/** What Comlink hands to its "throw" handler: whatever was thrown, in a box. */
type Thrown = { value: unknown };

/**
 * Sets Comlink up for the interface `Node`; called once on each side of a port. Errors keep what answers are
 * made of: a MatrixError stays one, others keep name and message. JSON bytes are transferred instead of copied:
 * who returns them must not use them again.
 */
export function prepareComlink(): void {
  // Only Comlink's own handler can tell what was thrown from what was returned.
  const { canHandle } = transferHandlers.get("throw")!;
  const thrown: TransferHandler<Thrown, WireError> = {
    canHandle: canHandle as TransferHandler<Thrown, WireError>["canHandle"],
    serialize: ({ value }) => [toWire(value), []],
    deserialize: (wire) => {
      throw fromWire(wire);
    },
  };
  transferHandlers.set("throw", thrown as TransferHandler<unknown, unknown>);
  transferHandlers.set("bytes", bytes as TransferHandler<unknown, unknown>);
}

const bytes: TransferHandler<JsonBytes, JsonBytes> = {
  canHandle: (value): value is JsonBytes => value instanceof Uint8Array,
  serialize: (value) => {
    // A part of a larger buffer would take all of it along.
    const whole = value.byteLength === value.buffer.byteLength ? value : value.slice();
    return [whole, [whole.buffer]];
  },
  deserialize: (value) => value,
};

function toWire(error: unknown): WireError {
  if (error instanceof MatrixError) {
    const { errcode, status, message, extra } = error;
    return { kind: "matrix", errcode, status, message, extra };
  }
  if (error instanceof Error) {
    return { kind: "other", name: error.name, message: error.message, stack: error.stack };
  }
  return { kind: "other", name: "Error", message: String(error), stack: undefined };
}

function fromWire(wire: WireError): Error {
  if (wire.kind === "matrix") return new MatrixError(wire.errcode, wire.status, wire.message, wire.extra);
  const error = new Error(wire.message);
  error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
