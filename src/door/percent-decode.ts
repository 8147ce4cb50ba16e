import { invalidParam } from "../matrix/errors.ts";

/**
 * @param what - names the text in the error
 * @throws {MatrixError} M_INVALID_PARAM (400) for broken escapes, bytes that are not UTF-8, and NUL
 */
export function percentDecode(text: string, what: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw invalidParam(`${what} is not correctly percent-encoded UTF-8.`);
    throw error;
  }
  if (decoded.includes("\0")) throw invalidParam(`${what} holds a NUL character.`);
  return decoded;
}
