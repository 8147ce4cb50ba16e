const sentences = new Map([
  ["M_USER_IN_USE", "That name is taken on this homeserver. Choose another, or sign in."],
  ["M_INVALID_USERNAME", "That name cannot be used. Letters, digits, dots and dashes work."],
  ["M_UNKNOWN_TOKEN", "This login has ended. Sign in again."],
  ["M_LIMIT_EXCEEDED", "That was too often in a short time. Wait a moment and try again."],
  ["M_ROOM_IN_USE", "That address is taken on this homeserver. Choose another."],
]);

/**
 * A sentence about a failed request for the person who made it: ours for the errcodes that ask for a
 * decision, else the server's own.
 */
export function explainError(error: unknown): string {
  const { errcode, data, message, httpStatus } = Object(error) as {
    errcode?: unknown;
    data?: { error?: unknown };
    message?: unknown;
    httpStatus?: unknown;
  };
  const known = typeof errcode === "string" ? sentences.get(errcode) : undefined;
  if (known !== undefined) return known;
  if (typeof data?.error === "string" && data.error !== "") return data.error;
  if (httpStatus === undefined && isUnreachable(error)) {
    return "The homeserver did not answer. It may be restarting: try again in a moment.";
  }
  return typeof message === "string" && message !== "" ? message : "Something went wrong. Try again.";
}

/** fetch fails with a TypeError, which matrix-js-sdk wraps in an error of its own. */
function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && error.name === "ConnectionError");
}
