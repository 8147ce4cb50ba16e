import { type ClientRequest, Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import { allowedAddresses, type Guard, type Resolve } from "./addresses.ts";
import { type Answered, exchange, StaleConnection } from "./exchange.ts";
import { EgressFailure } from "./failure.ts";
import type { RequestBody } from "./request-body.ts";
import type { Watch } from "./watch.ts";

/** One request to one place. */
export type Hop = {
  secure: boolean;
  /** A name that is looked up, or an address without brackets. */
  host: string;
  port: number;
  /** What the certificate has to be for: a name (asked for by SNI as well), or an address, which is then `host`. */
  certificateFor: string;
  /** The Host header. */
  authority: string;
  method: string;
  path: string;
  headers: readonly (readonly [string, string])[];
  body: RequestBody;
};

/** What has been answered; redirects are answers like others. @throws {EgressFailure} */
export type AskHop = (hop: Hop, answerBytes: number, watch: Watch) => Promise<Answered>;

export type ClientOptions = {
  resolve: Resolve;
  guard: Guard;
  /** PEM of authorities that are trusted beside the usual ones. */
  authorities: readonly string[];
};

const agentOptions = {
  keepAlive: true,
  // Milliseconds without use. Many servers close after five seconds: this side should be the first.
  timeout: 4_000,
  maxSockets: 128,
  maxFreeSockets: 8,
  maxTotalSockets: 2_048,
};
const maxHeaderSize = 65_536;
/** May be sent once more where a connection that was kept turns out to be closed. */
const repeatable = new Set(["GET", "PUT"]);

/** Requests over connections that are kept for the next one, to addresses that the guard lets through. */
export function openClient(options: ClientOptions): { ask: AskHop; close(): void } {
  const plain = new HttpAgent(agentOptions);
  const trusted = options.authorities.length > 0 ? { ca: [...rootCertificates, ...options.authorities] } : {};
  const secure = new HttpsAgent({ ...agentOptions, ...trusted });

  // Called for each new connection, which goes to one of these addresses and nowhere else.
  const lookup: LookupFunction = (host, lookupOptions, callback) => {
    allowedAddresses(host, options.resolve, options.guard).then(
      (addresses) => {
        if (lookupOptions.all === true) return callback(null, addresses);
        callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
      },
      (error: Error) => callback(error, ""),
    );
  };

  function start(hop: Hop): ClientRequest {
    // An address is not looked up, so that it is judged here: by the same rule that decides about looking up.
    if (isIP(hop.host) !== 0 && !options.guard(hop.host)) {
      throw new EgressFailure("refused", "This address is not on the public internet, and is not asked.");
    }
    const { host, port, method, path } = hop;
    const headers = { ...Object.fromEntries(hop.headers), host: hop.authority, ...framing(hop.body) };
    const common = { host, port, method, path, headers, lookup, maxHeaderSize };
    if (!hop.secure) return onlyOnce(requestHttp({ ...common, agent: plain }));
    // SNI has names only (RFC 6066 section 3); with an address, the certificate is held to `host`.
    const servername = isIP(hop.certificateFor) !== 0 ? "" : hop.certificateFor;
    return onlyOnce(requestHttps({ ...common, agent: secure, servername }));
  }

  return {
    async ask(hop, answerBytes, watch) {
      const once = () => exchange(() => start(hop), hop.body, answerBytes, watch);
      return await once().catch((error: unknown) => {
        const mayRepeat = repeatable.has(hop.method) && hop.body.kind !== "stream";
        if (error instanceof StaleConnection && mayRepeat) return once();
        throw error;
      });
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/**
 * Deno sends a request again by itself when a kept connection turns out to be closed: also a POST, and of one whose
 * body came later only the head, after which it waits for ever. What may be repeated is decided here.
 */
function onlyOnce(request: ClientRequest): ClientRequest {
  return Object.assign(request, { _retrying: true });
}

/** How the other side knows where the body ends: said here, and never by what a node has sent. */
function framing(body: RequestBody): Record<string, string> {
  if (body.kind === "none") return {};
  const length = body.kind === "bytes" ? body.bytes.length : body.length;
  return length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": String(length) };
}
