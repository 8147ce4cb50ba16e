import { encodeUtf8 } from "./utf8.ts";

/** What a quoted string may hold as it is: RFC 9110 section 5.6.4. Percent signs are decoded by some browsers. */
const plain = /^[ !#$&-[\]-~]*$/;
/** RFC 5987 section 3.2.1, `attr-char`. */
const attrChar = /[A-Za-z0-9!#$&+.^_`|~-]/;

/**
 * The header of that name.
 * @param name - of the file, "" for none. What is not plain ASCII is given twice: for who knows `filename*`, and with
 *   `_` in its places
 * @see https://www.rfc-editor.org/rfc/rfc6266
 */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  if (name === "") return kind;
  if (plain.test(name)) return `${kind}; filename="${name}"`;
  const fallback = name.replace(/[^ !#$&-[\]-~]/gu, "_");
  return `${kind}; filename="${fallback}"; filename*=UTF-8''${extended(name)}`;
}

function extended(name: string): string {
  let encoded = "";
  for (const byte of encodeUtf8(name)) {
    const char = String.fromCharCode(byte);
    encoded += attrChar.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

const parameter = /;\s*(filename\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/gi;

/** The name of the file that such a header gives, "" for none: the extended one where there are both. */
export function fileNameIn(header: string): string {
  const found = new Map<string, string>();
  for (const [, name = "", quoted, bare = ""] of header.matchAll(parameter)) {
    found.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare);
  }
  return decoded(found.get("filename*")) ?? found.get("filename") ?? "";
}

/** RFC 5987: `UTF-8'language'percent-encoded`. */
function decoded(text: string | undefined): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(text ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
