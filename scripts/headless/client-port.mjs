import { once } from "node:events";
import { Agent, createServer, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as TlsAgent } from "node:https";
import { pipeline } from "node:stream";
import { Failure } from "../support/steps.mjs";

/** Milliseconds: clients keep connections for the next long poll, and are surprised when one is gone. */
const KEEP_ALIVE = 10 * 60_000;
/** What belongs to one connection. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const ofConnection = /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * An address at which clients find one homeserver, whatever Host they name: what comes is passed on to the relay as it is,
 * piece by piece, with the homeserver's name.
 * @param {{ host: string, port: number }} at
 * @param {string} relay - origin
 * @param {string} serverName
 * @returns {Promise<{ url: string, close(): Promise<void> }>} url: without a slash at its end
 * @throws {Failure} where nothing can listen there
 */
export async function openClientPort(at, relay, serverName) {
  const { protocol, hostname, port: relayPort } = new URL(relay);
  const isTls = protocol === "https:";
  const agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  const ask = isTls ? requestHttps : requestHttp;

  const server = createServer((request, response) => {
    const target = {
      host: hostname.replace(/^\[|\]$/g, ""),
      ...(relayPort && { port: relayPort }),
      method: request.method,
      path: request.url,
      headers: headersFor(request, serverName),
      agent,
    };
    const asked = ask(target, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
      pipeline(answer, response, () => undefined);
    });
    asked.once("error", () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, unreachable.headers).end(unreachable.body);
    });
    response.once("close", () => {
      if (!response.writableFinished) asked.destroy();
    });
    request.pipe(asked);
  });
  server.keepAliveTimeout = KEEP_ALIVE;
  // An upload takes the time that it takes; the relay has limits of its own.
  server.requestTimeout = 0;
  server.listen(at.port, at.host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Failure(`--client-listen: nothing can listen at ${at.host}:${at.port} (${String(error)}).`);
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : at.port;
  return {
    url: `http://${at.host.includes(":") ? `[${at.host}]` : at.host}:${port}`,
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const unreachable = {
  headers: { "content-type": "application/json", "access-control-allow-origin": "*" },
  body: JSON.stringify({ errcode: "M_UNKNOWN", error: "The relay of this homeserver cannot be reached." }),
};

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {string} serverName
 */
function headersFor(request, serverName) {
  const { rawHeaders, headers, socket } = request;
  const list = endToEnd(rawHeaders, /^(host|x-forwarded-for)$/i);
  const addresses = [headers["x-forwarded-for"], socket.remoteAddress].flat().filter(Boolean);
  list.push("host", serverName, "x-forwarded-for", addresses.join(", "));
  // A body of unknown length, which Node would not send with every method.
  if (headers["transfer-encoding"] !== undefined) list.push("transfer-encoding", "chunked");
  return list;
}

/**
 * @param {string[]} raw - names and values in turn
 * @param {RegExp} [without]
 */
function endToEnd(raw, without = /^$/) {
  /** @type {string[]} */
  const list = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (!ofConnection.test(name) && !without.test(name)) list.push(name, raw[at + 1] ?? "");
  }
  return list;
}
