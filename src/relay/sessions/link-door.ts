import type { ByteChannel } from "../../link/api.ts";
import type { Clock } from "../../link/clock.ts";
import { RELAY_API } from "../../link/relay-api.ts";
import { webSocketChannel } from "../../link/transports/websocket.ts";
import { FetchDoor } from "./fetch-door.ts";

/** Where sessions are opened, by WebSocket and by plain requests. */
export const LINK_PATH = `${RELAY_API}/link`;

/** Takes a connection over, and never fails. */
export type AcceptChannel = (channel: ByteChannel, address: string) => Promise<void>;

/**
 * Answers `LINK_PATH` and all below it.
 * @returns what answers; its `address` is where the request comes from, without the port
 */
export function createLinkDoor(
  clock: Clock,
  accept: AcceptChannel,
): (request: Request, address: string) => Promise<Response> {
  const plain = new FetchDoor(clock, (channel, address) => void accept(channel, address));
  return async (request, address) => {
    const path = new URL(request.url).pathname.slice(LINK_PATH.length);
    const upgrade = request.headers.get("upgrade")?.toLowerCase();
    if (upgrade !== "websocket" || path !== "") return plain.answer(request, path, address);
    // Any origin: a session is opened by a signature, and there are no cookies that a page could make use of.
    // Without Deno's own pings: the session has some, and those would keep a frozen page's connection alive.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.addEventListener("open", () => void accept(webSocketChannel(socket), address), { once: true });
    return response;
  };
}
