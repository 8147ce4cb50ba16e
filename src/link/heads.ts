import type { LinkHeaders, LinkRequest, LinkResponse } from "./api.ts";
import { maxPayload, ProtocolError } from "./frames.ts";
import { encodeJsonPayload, parseJsonPayload } from "./json-payload.ts";

/** What a head says of the body: whether frames of it follow. */
export type RequestHead = Omit<LinkRequest, "body"> & { hasBody: boolean };
export type ResponseHead = Omit<LinkResponse, "body"> & { hasBody: boolean };

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const lowerToken = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/;
/**
 * `/path?query`, or an address with its scheme. What HTTP would cut a line or a word at is in none, and a path does not
 * begin with two slashes: whoever resolves it against a base would take a host from it.
 */
const targetForm = /^(?:\/(?!\/)|[a-z][a-z0-9+.-]{0,31}:\/\/[^/?#])[^\s\p{Cc}#]*$/u;
// These three end or cut a header line.
const cutsLines = /[\0\r\n]/;
const maxHeaders = 256;

/** Of one connection, and so of no meaning at the other end (RFC 9110 section 7.6.1, and what proxies add to it). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The payload of a `request` frame.
 * @throws {TypeError} for what is no request, or has a head that is too long
 */
export function encodeRequestHead(head: RequestHead): Uint8Array {
  checkRequest(head, TypeError);
  return encode([head.method, head.target, endToEnd(head.headers), head.hasBody ? 1 : 0]);
}

/** @throws {ProtocolError} */
export function decodeRequestHead(payload: Uint8Array): RequestHead {
  const [method, target, headers, hasBody] = decode(payload, 4);
  const head = { method, target, headers, hasBody: hasBody === 1 };
  checkRequest(head, ProtocolError);
  return { ...head, headers: endToEnd(head.headers) };
}

/**
 * The payload of a `response` frame.
 * @throws {TypeError} for what is no response, or has a head that is too long
 */
export function encodeResponseHead(head: ResponseHead): Uint8Array {
  checkResponse(head, TypeError);
  return encode([head.status, endToEnd(head.headers), head.hasBody ? 1 : 0]);
}

/** @throws {ProtocolError} */
export function decodeResponseHead(payload: Uint8Array): ResponseHead {
  const [status, headers, hasBody] = decode(payload, 3);
  const head = { status, headers, hasBody: hasBody === 1 };
  checkResponse(head, ProtocolError);
  return { ...head, headers: endToEnd(head.headers) };
}

type Unchecked<Head> = { [Key in keyof Head]: unknown };
type Failure = new (message: string) => Error;

function checkRequest(head: Unchecked<RequestHead>, Failure: Failure): asserts head is RequestHead {
  if (typeof head.method !== "string" || !token.test(head.method)) throw new Failure("Not a method.");
  if (typeof head.target !== "string" || !targetForm.test(head.target)) throw new Failure("Not a target.");
  checkHeaders(head.headers, Failure);
}

function checkResponse(head: Unchecked<ResponseHead>, Failure: Failure): asserts head is ResponseHead {
  const { status } = head;
  // An informational answer is none yet.
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599) {
    throw new Failure("Not the status of an answer.");
  }
  checkHeaders(head.headers, Failure);
}

function checkHeaders(headers: unknown, Failure: Failure): asserts headers is LinkHeaders {
  if (!Array.isArray(headers) || headers.length > maxHeaders) throw new Failure("Not a list of headers.");
  for (const header of headers as unknown[]) {
    if (!Array.isArray(header) || header.length !== 2) throw new Failure("Not a header.");
    const [name, value] = header as unknown[];
    if (typeof name !== "string" || !lowerToken.test(name)) throw new Failure("Not a header's name.");
    if (typeof value !== "string" || cutsLines.test(value)) throw new Failure("Not a header's value.");
  }
}

function endToEnd(headers: LinkHeaders): LinkHeaders {
  return headers.filter(([name]) => !hopByHop.has(name));
}

function encode(head: unknown[]): Uint8Array {
  const bytes = encodeJsonPayload(head);
  if (bytes.length > maxPayload) throw new TypeError("The head is longer than a frame may be.");
  return bytes;
}

function decode(payload: Uint8Array, length: number): unknown[] {
  const head = parseJsonPayload(payload);
  if (!Array.isArray(head) || head.length < length) throw new ProtocolError("Not a head.");
  return head;
}
