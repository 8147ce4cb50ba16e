import type { JsonObject } from "./json.ts";

/**
 * An error of the Matrix APIs: errcode and HTTP status in one value.
 * @see https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
export class MatrixError extends Error {
  override readonly name = "MatrixError";
  readonly errcode: string;
  readonly status: number;
  /** Further members of the error's body, such as `soft_logout` or `retry_after_ms`. */
  readonly extra: JsonObject;

  constructor(errcode: string, status: number, message: string, extra: JsonObject = {}) {
    super(message);
    this.errcode = errcode;
    this.status = status;
    this.extra = extra;
  }

  /** The error's body as the spec wants it. */
  toJSON(): JsonObject {
    return { ...this.extra, errcode: this.errcode, error: this.message };
  }
}

/** The request is understood and refused (403). */
export const forbidden = (why: string) => new MatrixError("M_FORBIDDEN", 403, why);
/** A suspended account may not do this (403). @see https://spec.matrix.org/v1.19/client-server-api/#account-suspension */
export const suspendedAccount = () =>
  new MatrixError("M_USER_SUSPENDED", 403, "This account has been suspended by an administrator.");
/** The thing asked for is not here (404). */
export const notFound = (why: string) => new MatrixError("M_NOT_FOUND", 404, why);
/** A parameter has the wrong value (400). */
export const invalidParam = (why: string) => new MatrixError("M_INVALID_PARAM", 400, why);
/** A required parameter is missing (400). */
export const missingParam = (why: string) => new MatrixError("M_MISSING_PARAM", 400, why);
/** The body is JSON, but of the wrong shape (400). */
export const badJson = (why: string) => new MatrixError("M_BAD_JSON", 400, why);
/** The body is not JSON at all (400). */
export const notJson = (why: string) => new MatrixError("M_NOT_JSON", 400, why);
/** An event or a body is over its limit (413). */
export const tooLarge = (why: string) => new MatrixError("M_TOO_LARGE", 413, why);
/** No such endpoint (404) or no such method on it (405). */
export const unrecognized = (why: string, status: 404 | 405 = 404) =>
  new MatrixError("M_UNRECOGNIZED", status, why);
/** Something that has no errcode of its own. */
export const unknown = (why: string, status = 500) => new MatrixError("M_UNKNOWN", status, why);
