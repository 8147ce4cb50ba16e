import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { isServerName } from "../../matrix/server-names.ts";
import { ignoreFailure } from "../body.ts";
import type { Arrived } from "./arrived.ts";

/**
 * A request as node:http gives it. Deno's own server gives no body to a GET, as a `Request` cannot have one; Dendrite
 * sends one, and signs it.
 * @returns undefined where Host is missing, comes twice, or is no server name
 */
export function arrivedFromNode(message: IncomingMessage, response: ServerResponse): Arrived | undefined {
  const { rawHeaders, method = "GET", url: target = "", socket } = message;
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  const host = headers.get("host")?.toLowerCase();
  if (host === undefined || !isServerName(host)) return undefined;
  const gone = new AbortController();
  response.on("close", () => gone.abort("The sender has gone."));
  const hasBody = headers.has("content-length") || headers.has("transfer-encoding");
  const body = hasBody ? (Readable.toWeb(message) as ReadableStream<Uint8Array>) : null;
  return { method, target, host, headers, body, address: socket.remoteAddress ?? "", signal: gone.signal };
}

/** Writes an answer as fast as it is read, and no faster. Ends when all is written, or nobody reads any more. */
export async function writeToNode(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, [...answer.headers].flat());
  const reader = answer.body?.getReader();
  const gone = new Promise<void>((resolve) => response.on("close", resolve));
  for (;;) {
    const piece = await reader?.read().catch(() => "broken" as const);
    if (piece === "broken") {
      // Not a good end: the reader must see that something is missing.
      response.destroy();
      return;
    }
    if (piece === undefined || piece.done || response.destroyed) break;
    if (response.write(piece.value)) continue;
    await Promise.race([gone, new Promise<void>((resolve) => response.once("drain", () => resolve()))]);
  }
  if (response.destroyed) return ignoreFailure(reader?.cancel("Nobody reads any more.") ?? Promise.resolve());
  response.end();
}
