import { equalBytes } from "../../matrix/ed25519-rules.ts";
import { MatrixError, notFound } from "../../matrix/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../matrix/json.ts";
import {
  type RequestAuth,
  readAuthorization,
  type SignedRequest,
  unauthorized,
  verifyRequest,
} from "../../matrix/x-matrix.ts";
import { parseBody } from "../body.ts";
import type { Arrived } from "./arrived.ts";
import type { Ingress } from "./parts.ts";

/**
 * The node that a request is for. The Host names it, or (where a domain is delegated to the relay) the destination that
 * the sender has signed; a Host that leads to one node and a destination that leads to another are a forgery.
 * @throws {MatrixError} M_NOT_FOUND (404) for nobody who is known here, M_UNAUTHORIZED (401) when the two disagree
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export async function nodeFor(
  { names }: Ingress,
  host: string,
  auth: RequestAuth | undefined,
): Promise<string> {
  const destination = auth?.destination;
  const node = await names.nodeOf(destination ?? host);
  if (destination !== undefined) {
    const hostKey = await names.keyOf(host);
    const key = await names.keyOf(destination);
    if (hostKey !== undefined && (key === undefined || !equalBytes(hostKey, key))) {
      throw unauthorized("The destination of the signature is not the server that was asked.");
    }
  }
  if (node === undefined) throw notFound("There is no server of this name here.");
  return node;
}

/** @throws {MatrixError} M_UNAUTHORIZED (401) */
export function authOf({ headers }: Arrived): RequestAuth {
  const header = headers.get("authorization");
  return readAuthorization(header === null ? [] : [header]);
}

/**
 * What was signed of a request.
 * @param body - all of it; none is no content
 * @throws {MatrixError} M_NOT_JSON or M_BAD_JSON (400)
 */
export function signedRequest(
  { method, target }: Arrived,
  auth: RequestAuth,
  destination: string,
  body: Uint8Array,
): SignedRequest {
  const signed = { method, uri: target, origin: auth.origin, destination: auth.destination ?? destination };
  return body.length === 0 ? signed : { ...signed, content: parseBody(body) };
}

/** @throws {MatrixError} M_BAD_JSON (400) */
export function requireJsonObject(value: JsonValue | undefined): JsonObject {
  if (isJsonObject(value)) return value;
  throw new MatrixError("M_BAD_JSON", 400, "The body should be a JSON object.");
}

/**
 * Checks who has signed a request.
 * @param within - milliseconds to find the key in
 * @returns `unknown` where the key cannot be had just now
 * @throws {MatrixError} M_UNAUTHORIZED (401) for a signature that is wrong
 */
export async function checkSignature(
  { keyRing, ed25519 }: Ingress,
  request: SignedRequest,
  auth: RequestAuth,
  within: number,
): Promise<"verified" | "unknown"> {
  const found = await keyRing.find(auth.origin, auth.signatures, within);
  if (found === undefined) return "unknown";
  if (await verifyRequest(request, found.signature, found.publicKey, ed25519)) return "verified";
  throw unauthorized(`The request is not signed by ${auth.origin}.`);
}
