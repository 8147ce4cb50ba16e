import type { Ed25519 } from "./ed25519-rules.ts";
import { MatrixError } from "./errors.ts";
import { isKeyId } from "./identifiers.ts";
import type { JsonValue } from "./json.ts";
import { isServerName, type ServerName } from "./server-names.ts";
import { type SigningKey, signJson, verifySignedJson } from "./signing.ts";

/**
 * What one server signs of a request to another.
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export type SignedRequest = {
  method: string;
  /** Path and query as they were sent, byte for byte. */
  uri: string;
  origin: string;
  /** The server name that was meant, whatever it is delegated to. */
  destination: string;
  /** The parsed body; undefined where there is none. */
  content?: JsonValue | undefined;
};

export type RequestSignature = { keyId: string; signature: string };

/** What a request's `Authorization` says: who signed it, for whom, with which keys. Nothing of it is proved. */
export type RequestAuth = {
  origin: ServerName;
  /** Left out by old servers, who mean the server that they reached. */
  destination: ServerName | undefined;
  signatures: RequestSignature[];
};

/** Real ones have some 300 bytes; a server with several keys sends one for each. */
const MAX_TEXT = 8192;
const MAX_SIGNATURES = 8;

const scheme = /x-matrix[ \t]+/iy;
const separator = /[ \t]*,[ \t,]*/y;
// RFC 9110, section 11.2. Values without quotes are let be anything that ends: old servers wrote colons and Base64.
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/y;

/**
 * Reads `Authorization` headers, one by one or joined with commas.
 * @throws {MatrixError} M_UNAUTHORIZED (401) where there is none, for a malformed one, a parameter that is missing or
 *   comes twice, and headers that do not agree who asks whom
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function readAuthorization(headers: readonly string[]): RequestAuth {
  const all = splitHeaders(headers).map(readOne);
  const [first] = all;
  if (first === undefined) throw unauthorized("This needs an Authorization header of the scheme X-Matrix.");
  if (all.some(({ origin, destination }) => origin !== first.origin || destination !== first.destination)) {
    throw unauthorized("The Authorization headers do not agree about origin and destination.");
  }
  return {
    origin: first.origin,
    destination: first.destination,
    signatures: all.map(({ keyId, signature }) => ({ keyId, signature })),
  };
}

/** The `Authorization` header of a request that this server sends. */
export async function authorizationFor(request: SignedRequest, key: SigningKey): Promise<string> {
  const { origin, destination } = request;
  // Lenient: transactions carry events of room versions that let any number be.
  const signed = await signJson({ ...request }, origin, key.keyId, key.sign, "lenient");
  const signatures = signed.signatures as { [origin: string]: { [keyId: string]: string } };
  const signature = signatures[origin]?.[key.keyId] ?? "";
  return `X-Matrix origin="${origin}",destination="${destination}",key="${key.keyId}",sig="${signature}"`;
}

/**
 * Whether the key made this signature on this request.
 * @throws {MatrixError} M_BAD_JSON (400) for content that has no canonical JSON
 */
export async function verifyRequest(
  request: SignedRequest,
  { keyId, signature }: RequestSignature,
  publicKey: Uint8Array,
  ed25519: Ed25519,
): Promise<boolean> {
  const signed = { ...request, signatures: { [request.origin]: { [keyId]: signature } } };
  return verifySignedJson(signed, request.origin, keyId, publicKey, ed25519);
}

export const unauthorized = (why: string) => new MatrixError("M_UNAUTHORIZED", 401, why);

type Parameters = Map<string, string>;

/** The parameters of each X-Matrix, by their names in lower case. */
function splitHeaders(headers: readonly string[]): Parameters[] {
  const found: Parameters[] = [];
  for (const text of headers) {
    if (text.length > MAX_TEXT) throw unauthorized("The Authorization header is too long.");
    let index = skip(separator, text, skip(/[ \t]*/y, text, 0));
    while (index < text.length) {
      const parameters: Parameters = new Map();
      index = readParameters(text, index, parameters);
      found.push(parameters);
      if (found.length > MAX_SIGNATURES) throw unauthorized("There are too many Authorization headers.");
    }
  }
  return found;
}

/** @returns where the next scheme begins, or the end of the text */
function readParameters(text: string, start: number, into: Parameters): number {
  let index = skip(scheme, text, start);
  if (index === start) throw unauthorized("The Authorization header is not of the scheme X-Matrix.");
  for (;;) {
    parameter.lastIndex = index;
    const match = parameter.exec(text);
    if (match === null) throw unauthorized("The Authorization header is malformed.");
    const name = (match[1] ?? "").toLowerCase();
    if (into.has(name)) throw unauthorized(`The Authorization header has ${name} twice.`);
    into.set(name, match[3] ?? (match[2] ?? "").replace(/\\(.)/g, "$1"));
    const end = parameter.lastIndex;
    index = skip(separator, text, end);
    if (skip(/[ \t]*/y, text, index) === text.length) return text.length;
    if (index === end) throw unauthorized("The Authorization header is malformed.");
    if (skip(scheme, text, index) !== index) return index;
  }
}

function skip(pattern: RegExp, text: string, index: number): number {
  pattern.lastIndex = index;
  return pattern.test(text) ? pattern.lastIndex : index;
}

function readOne(parameters: Parameters) {
  const origin = parameters.get("origin");
  const destination = parameters.get("destination");
  const keyId = parameters.get("key");
  const signature = parameters.get("sig");
  if (!isServerName(origin)) throw unauthorized("origin in the Authorization header is not a server name.");
  if (destination !== undefined && !isServerName(destination)) {
    throw unauthorized("destination in the Authorization header is not a server name.");
  }
  if (!isKeyId(keyId)) throw unauthorized("key in the Authorization header is not a key ID.");
  if (signature === undefined) throw unauthorized("The Authorization header has no sig.");
  return { origin, destination, keyId, signature };
}
