import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { IpRange } from "../../matrix/ip-addresses.ts";
import type { Address } from "../config/kinds.ts";
import type { Arrived } from "../ingress/arrived.ts";
import { arrivedFromNode, writeToNode } from "../ingress/node-http.ts";
import type { TlsSource } from "../tls/api.ts";
import type { Listening } from "./api.ts";
import { callerOf } from "./caller.ts";
import { listenError } from "./listen.ts";
import { unlessUnread } from "./unread.ts";

/** Milliseconds for the head of a request, and in which some of an answer has to be taken. */
const patience = { head: 30_000, unread: 60_000 };

export type DendriteParts = {
  answer(arrived: Arrived): Promise<Response | undefined>;
  proxies: readonly IpRange[];
  tls: TlsSource | undefined;
  report(error: unknown): void;
};

/**
 * HTTP (with `tls`, HTTPS) for other servers alone. Dendrite asks for its mail by a GET with a body, which Deno's own
 * server drops.
 * @throws {ListenError}
 */
export async function listenForDendrite(at: Address, parts: DendriteParts): Promise<Listening> {
  const { tls, report } = parts;
  const server = tls === undefined ? createServer() : createTlsServer(credentials(tls));
  server.headersTimeout = patience.head;
  server.on("request", (message: IncomingMessage, response: ServerResponse) => {
    serve(parts, message, response).catch((error: unknown) => {
      report(error);
      response.destroy();
    });
  });
  const forget = tls?.onChange(() => {
    if ("setSecureContext" in server) server.setSecureContext(credentials(tls));
  });
  await listening(server, at);
  const bound = server.address();
  return {
    address: { host: at.host, port: typeof bound === "object" && bound !== null ? bound.port : at.port },
    close: (grace) => {
      forget?.();
      return closed(server, grace);
    },
  };
}

const credentials = (tls: TlsSource) => {
  const { certificate, key } = tls.current();
  return { cert: certificate, key };
};

async function serve(
  { answer, proxies, tls }: DendriteParts,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const arrived = arrivedFromNode(message, response);
  if (arrived === undefined) {
    response.writeHead(400).end();
    return;
  }
  const peer = { address: plain(arrived.address), secure: tls !== undefined };
  const { address } = callerOf(arrived.headers, peer, proxies);
  const answered = (await answer({ ...arrived, address })) ?? new Response(null, { status: 404 });
  const { body, status, headers } = answered;
  await writeToNode(
    body === null ? answered : new Response(unlessUnread(body, patience.unread), { status, headers }),
    response,
  );
}

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "");

function listening(server: Server, at: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const known = error.code === "EADDRINUSE" ? new Deno.errors.AddrInUse(error.message) : error;
      reject(listenError("dendrite-listen", at, known));
    });
    server.listen(at.port, at.host, () => resolve());
  });
}

/** Takes nothing new; what is under way after the grace is cut off. */
function closed(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
