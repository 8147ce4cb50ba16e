import { invalidParam } from "../../matrix/errors.ts";
import { isServerName } from "../../matrix/server-names.ts";

/** A request from outside, as it came: `Request` itself has no body for GET, and its URL cannot be trusted to be raw. */
export type Arrived = {
  method: string;
  /** Path and query, byte for byte: signatures are over them. */
  target: string;
  /** Host and port as the sender wrote them, in lower case. */
  host: string;
  headers: Headers;
  body: ReadableStream<Uint8Array> | null;
  /** The address of who asks, as the listener knows it (proxies it trusts counted in); empty for nodes of this relay. */
  address: string;
  /** Aborted when the sender has gone. */
  signal: AbortSignal;
};

const parts = /^https?:\/\/([^/?#]*)(.*)$/s;

/**
 * @param address - of who asks: the peer, or whom a trusted proxy names
 * @throws {MatrixError} M_INVALID_PARAM (400) where URL and Host do not name one and the same host
 */
export function arrivedFrom(request: Request, address: string): Arrived {
  const [, authority = "", target = ""] = parts.exec(request.url) ?? [];
  const host = authority.toLowerCase();
  const header = request.headers.get("host");
  // HTTP/2 has no Host; in HTTP/1 a target with a host of its own must not lead elsewhere than the Host does.
  if (!isServerName(host) || (header !== null && header.toLowerCase() !== host)) {
    throw invalidParam("The request does not say which host it is for.");
  }
  const { method, headers, body, signal } = request;
  return { method, target, host, headers, body, address, signal };
}
