import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** A way for UDP packets that can be broken: from then on all of them vanish, and nobody is told. */
export type UdpProxy = { port: number; lose(): void; close(): void };

const open = async (port = 0): Promise<Socket> => {
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
};

/**
 * @param port - to which packets go
 * @param address - of the loopback network, to which they go
 * @param at - the port on 127.0.0.1 that takes them; 0 for a free one
 */
export async function startUdpProxy(port: number, address = "127.0.0.1", at = 0): Promise<UdpProxy> {
  const outside = await open(at);
  const clients = new Map<number, Promise<Socket>>();
  let isLost = false;
  let isClosed = false;

  const clientAt = async (from: number): Promise<Socket> => {
    const socket = await open();
    socket.on("message", (packet) => {
      if (!isLost && !isClosed) outside.send(packet, from, "127.0.0.1");
    });
    // Nobody listens there for a while, where the relay was killed.
    socket.on("error", () => undefined);
    return socket;
  };
  outside.on("message", (packet, { port: from }) => {
    if (isLost) return;
    const client = clients.get(from) ?? clientAt(from);
    clients.set(from, client);
    void client.then((socket) => {
      if (!isClosed) socket.send(packet, port, address);
    });
  });
  return {
    port: outside.address().port,
    lose: () => {
      isLost = true;
    },
    close: () => {
      isClosed = true;
      outside.close();
      for (const client of clients.values()) void client.then((socket) => socket.close());
    },
  };
}
