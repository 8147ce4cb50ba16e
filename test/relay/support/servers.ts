import { createServer, type Socket } from "node:net";
import type { Credentials } from "../../../src/relay/tls/api.ts";
import { atTheEnd } from "./at-the-end.ts";

/** A server over TLS on the loopback address, until the test is over. @returns its port */
export function serveTls(
  credentials: Credentials,
  handle: (request: Request) => Response | Promise<Response>,
): number {
  const options = { hostname: "127.0.0.1", port: 0, cert: credentials.certificate, key: credentials.key };
  const server = Deno.serve({ ...options, onListen: () => undefined }, handle);
  atTheEnd(() => server.shutdown());
  return server.addr.port;
}

/** A server that says what it likes, byte for byte, until the test is over. */
export async function serveRaw(
  onConnection: (socket: Socket) => void,
): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    // What the other side resets is what many tests are about.
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atTheEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return { port: address.port, sockets };
}
