import type { LinkHeaders } from "../../link/api.ts";
import { EgressFailure } from "./failure.ts";

/**
 * What goes along with a request. A list of what may, not of what may not: nothing that says who is behind the relay
 * (Forwarded, Via, Cookie …), that speaks to proxies in between, or that says where a message ends.
 */
const sent = new Set([
  "accept",
  "accept-language",
  "authorization",
  "content-type",
  "if-modified-since",
  "if-none-match",
  "range",
  "user-agent",
]);

const maxHeaders = 64;
const maxValue = 16_384;
/** RFC 9110 section 5.5, without what is not ASCII: no line can end here. */
const value = /^[\x20-\x7e\t]*$/;

/**
 * The headers of a node's request that go on to another server; those of one hop, and all that is not known, stay.
 * @throws {EgressFailure} refused, for a value that cannot be one
 */
export function requestHeaders(headers: LinkHeaders): [string, string][] {
  if (headers.length > maxHeaders) throw new EgressFailure("refused", `More than ${maxHeaders} headers.`);
  return headers
    .map(([name, text]): [string, string] => [name.toLowerCase(), text])
    .filter(([name]) => sent.has(name))
    .map(([name, text]) => {
      if (text.length <= maxValue && value.test(text)) return [name, text];
      throw new EgressFailure(
        "refused",
        `The header ${name} is too long or has characters that cannot be sent.`,
      );
    });
}

/** The number that `content-length` of a node's request says. @throws {EgressFailure} refused, for what is no number */
export function contentLength(headers: LinkHeaders): number | undefined {
  const given = headers.filter(([name]) => name.toLowerCase() === "content-length").map(([, text]) => text);
  const [first] = given;
  if (first === undefined) return undefined;
  if (given.every((text) => text === first) && /^\d{1,15}$/.test(first)) return Number(first);
  throw new EgressFailure("refused", "The header content-length has to be one number.");
}

/** Headers of one connection (RFC 9110 section 7.6.1). */
const oneHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The headers of an answer as the node gets them: without those of one hop, and without any that only the relay itself
 * may say.
 * @param raw - name, value, name, value …
 */
export function answerHeaders(raw: readonly string[]): LinkHeaders {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]?.toLowerCase() ?? "", raw[i + 1] ?? ""]);
  const named = pairs
    .filter(([name]) => name === "connection")
    .flatMap(([, text]) => text.split(",").map((name) => name.trim().toLowerCase()));
  return pairs.filter(
    ([name]) => !oneHop.has(name) && !named.includes(name) && !name.startsWith("x-hearth-"),
  );
}
