import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * Ports that nobody has: a server's name has its port in it, which must be known before it listens.
 * @returns so many, all of them different
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
