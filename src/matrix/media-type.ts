const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const value = `(?:${token}|"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*")`;
/** RFC 9110 section 8.3.1, without what is not ASCII: it has to stand in a header again. */
const grammar = new RegExp(`^${token}/${token}(?:[ \\t]*;(?:[ \\t]*${token}=${value})?)*$`);
const maxLength = 255;

/** What is said of media whose type nobody has given, or as nothing that is one. */
export const unknownType = "application/octet-stream";

/** A media type as it may be told on: as it was given, or `application/octet-stream`. */
export function mediaTypeOr(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= maxLength && grammar.test(trimmed) ? trimmed : unknownType;
}

/** The type without its parameters, in lower case. */
export const essenceOf = (type: string): string => (type.split(";", 1)[0] ?? "").trim().toLowerCase();

const inlineTypes = new Set([
  ...["text/css", "text/plain", "text/csv", "application/json", "application/ld+json"],
  ...["image/jpeg", "image/gif", "image/png", "image/apng", "image/webp", "image/avif"],
  ...["video/mp4", "video/webm", "video/ogg", "video/quicktime"],
  ...["audio/mp4", "audio/webm", "audio/aac", "audio/mpeg", "audio/ogg"],
  ...["audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wav", "audio/flac", "audio/x-flac"],
]);

/**
 * Whether media of this type may be shown in place: none of these can run anything.
 * @see https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content
 */
export const isInlineType = (type: string): boolean => inlineTypes.has(essenceOf(type));
