import type { LinkHeaders, LinkResponse } from "../../link/api.ts";
import { bodyOf } from "../../link/bodies.ts";
import { forbidden, MatrixError, unknown } from "../../matrix/errors.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";

/** What the relay itself has to say about a request to another server: see Egress in api.ts. */
export type FailureKind = "refused" | "limited" | "unreachable" | "timeout" | "broken";

/** A request to another server that had no answer, or none that is passed on. The message is shown to the node. */
export class EgressFailure extends Error {
  override readonly name = "EgressFailure";
  readonly kind: FailureKind;
  /** Milliseconds, of `limited`. */
  readonly retryAfter: number;

  constructor(kind: FailureKind, message: string, retryAfter = 0) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** The failure as the node sees it. */
export function failureAnswer(failure: EgressFailure): LinkResponse {
  const error = matrixError(failure);
  const headers: LinkHeaders = [
    ["content-type", "application/json"],
    ["x-hearth-egress", failure.kind],
  ];
  const retryAfter = [["retry-after", String(Math.ceil(failure.retryAfter / 1000))]] as const;
  return {
    status: error.status,
    headers: failure.kind === "limited" ? [...headers, ...retryAfter] : headers,
    body: bodyOf(encodeUtf8(JSON.stringify(error))),
  };
}

function matrixError({ kind, message, retryAfter }: EgressFailure): MatrixError {
  switch (kind) {
    case "refused":
      return forbidden(message);
    case "limited":
      return new MatrixError("M_LIMIT_EXCEEDED", 429, message, { retry_after_ms: Math.ceil(retryAfter) });
    case "timeout":
      return unknown(message, 504);
    case "unreachable":
    case "broken":
      return unknown(message, 502);
  }
}
