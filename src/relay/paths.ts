import { invalidParam, unrecognized } from "../matrix/errors.ts";

const MAX_TARGET = 8192;

/**
 * Refuses targets that two readers could read as two: the path decides here what the node lets it do there.
 * @returns the path without its query
 * @throws {MatrixError} M_UNRECOGNIZED (404), M_INVALID_PARAM (400)
 */
export function pathOf(target: string): string {
  if (!target.startsWith("/")) throw unrecognized("This is no path.");
  if (target.length > MAX_TARGET) throw invalidParam(`Path and query have at most ${MAX_TARGET} characters.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[#\\\x00-\x20\x7f]/.test(target)) throw invalidParam("The path has characters that no path has.");
  const [path = ""] = target.split("?", 1);
  const plain = path.replace(/%2e/gi, ".").replace(/%2f|%5c/gi, "/");
  if (/%0[0ad]/i.test(path) || /\/\.{1,2}(?:\/|$)/.test(plain) || path.startsWith("//")) {
    throw invalidParam("The path is not in its plain form.");
  }
  return path;
}

/**
 * One segment of a path, decoded.
 * @throws {MatrixError} M_INVALID_PARAM (400)
 */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) throw invalidParam("The path is badly encoded.");
    throw error;
  }
}
