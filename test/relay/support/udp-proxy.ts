/** A way for UDP packets that can be broken: from then on all of them vanish, and nobody is told. */
export type UdpProxy = { port: number; lose(): void; close(): void };

/** @param port - on loopback, to which packets go */
export function startUdpProxy(port: number): UdpProxy {
  const open = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const outside = open();
  const clients = new Map<number, Deno.DatagramConn>();
  let isLost = false;

  async function carry(from: Deno.DatagramConn, to: (sender: Deno.NetAddr) => [Deno.DatagramConn, number]) {
    for await (const [packet, sender] of from) {
      if (isLost) continue;
      const [socket, target] = to(sender as Deno.NetAddr);
      await socket.send(packet, { transport: "udp", hostname: "127.0.0.1", port: target });
    }
  }

  const clientAt = (address: number): Deno.DatagramConn => {
    const known = clients.get(address);
    if (known !== undefined) return known;
    const socket = open();
    clients.set(address, socket);
    void carry(socket, () => [outside, address]);
    return socket;
  };
  void carry(outside, (sender) => [clientAt(sender.port), port]);
  return {
    port: (outside.addr as Deno.NetAddr).port,
    lose: () => {
      isLost = true;
    },
    close: () => {
      for (const socket of [outside, ...clients.values()]) socket.close();
    },
  };
}
