import { contentDisposition } from "../matrix/content-disposition.ts";
import { forbidden } from "../matrix/errors.ts";
import { isInlineType } from "../matrix/media-type.ts";
import type { MediaFile } from "../worker-roomserver/media/api.ts";
import { byteRange } from "./byte-range.ts";
import { Content } from "./endpoint.ts";

/** What never changes from one piece of media to the next. Whatever it holds, it runs on no page's origin. */
const everyFile = {
  "Content-Security-Policy":
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; " +
    "media-src 'self'; object-src 'self';",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Referrer-Policy": "no-referrer",
  "Accept-Ranges": "bytes",
  // Media never changes under its address, but it may be removed, or its reader logged out.
  "Cache-Control": "private, max-age=86400, immutable",
  "Access-Control-Expose-Headers": "Content-Disposition, Content-Length, Content-Range, Accept-Ranges, ETag",
};

/**
 * What a page may want media for. Not among these is what it would run or apply as its own: scripts, workers, styles.
 * Documents are put into a sandbox by the header above.
 */
const allowedDestinations: ReadonlySet<RequestDestination | "object"> = new Set([
  ...(["", "image", "audio", "video", "track", "font"] as const),
  ...(["document", "iframe", "frame", "embed", "object"] as const),
]);

/**
 * Serves a file, or the part of it that is asked for.
 * @throws {MatrixError} M_FORBIDDEN (403) for a page that would run it
 * @see https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content
 */
export function mediaAnswer(
  { blob, type, name, etag }: MediaFile,
  { headers, destination }: { headers: Headers; destination: RequestDestination },
): Content {
  if (!allowedDestinations.has(destination)) {
    throw forbidden(`Media is not served to be used as a ${destination}.`);
  }
  const tag = `"${etag}"`;
  const all = {
    ...everyFile,
    "Content-Type": type,
    "Content-Disposition": contentDisposition(isInlineType(type) ? "inline" : "attachment", name),
    ETag: tag,
  };
  if (namesTag(headers.get("If-None-Match"), tag)) return new Content(304, null, all);
  const ifRange = headers.get("If-Range");
  const isSame = ifRange === null || ifRange.trim() === tag;
  const range = isSame ? byteRange(headers.get("Range"), blob.size) : "whole";
  if (range === "none") {
    return new Content(416, null, { ...everyFile, "Content-Range": `bytes */${blob.size}` });
  }
  if (range === "whole") return new Content(200, blob, { ...all, "Content-Length": String(blob.size) });
  const { from, to } = range;
  return new Content(206, blob.slice(from, to), {
    ...all,
    "Content-Length": String(to - from),
    "Content-Range": `bytes ${from}-${to - 1}/${blob.size}`,
  });
}

const namesTag = (header: string | null, tag: string) =>
  (header ?? "").split(",").some((part) => part.trim().replace(/^W\//, "") === tag || part.trim() === "*");
