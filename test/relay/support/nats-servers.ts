import { findProgram } from "../../../scripts/support/programs.mjs";
import { type Nats, openNats } from "../../../src/relay/cluster/nats.ts";

const program = findProgram("HEARTH_NATS_SERVER", ["nats-server"], ["/usr/sbin", "/usr/local/sbin"]);

/** Whether these tests can be run: `npm test` installs the server where it can, and says so where it cannot. */
export const hasNatsServer = program !== undefined;

export type NatsServers = {
  urls: string[];
  replicas: number;
  /** Ends one of them at once, as a power cut does to its process. */
  kill(index: number): Promise<void>;
  /** Starts it again, over what it had on its disk. */
  restart(index: number): Promise<void>;
  stop(): Promise<void>;
};

/** Real servers on loopback, one or three as a cluster, with their files in a folder of their own. */
export async function startNatsServers(count: 1 | 3): Promise<NatsServers> {
  const folder = await Deno.makeTempDir({ prefix: "hearth-nats-" });
  const ports = freePorts(2 * count);
  const [clients, routes] = [ports.slice(0, count), ports.slice(count)];
  const children: Deno.ChildProcess[] = [];
  const start = async (index: number) => {
    const store = `${folder}/${index}`;
    const others = routes.map((port) => `nats://127.0.0.1:${port}`).join(",");
    const cluster = [
      "--cluster",
      `nats://127.0.0.1:${routes[index]}`,
      "--cluster_name",
      "test",
      "--routes",
      others,
    ];
    children[index] = new Deno.Command(program ?? "nats-server", {
      args: [
        ...["--addr", "127.0.0.1", "--port", String(clients[index]), "--name", `server-${index}`],
        ...["--jetstream", "--store_dir", store, "--log", `${store}.log`],
        ...(count > 1 ? cluster : []),
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    await untilListening(clients[index] as number);
  };
  for (let index = 0; index < count; index++) await start(index);
  const kill = async (index: number) => {
    children[index]?.kill("SIGKILL");
    await children[index]?.status;
    delete children[index];
  };
  return {
    urls: clients.map((port) => `nats://127.0.0.1:${port}`),
    replicas: count,
    kill,
    restart: start,
    async stop() {
      for (const index of children.keys()) await kill(index);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** @param prefix - of all names: stores of other tests on the same servers are not seen */
export function connectTo({ urls, replicas }: NatsServers, prefix = randomPrefix()): Promise<Nats> {
  return openNats({ servers: urls, replicas, prefix, within: 30_000 });
}

export const randomPrefix = () => `t${crypto.randomUUID().slice(0, 8)}`;

/** Removes what was stored under these names, and ends the connection. */
export async function discard({ manager, connection, prefix }: Nats): Promise<void> {
  for await (const name of manager.streams.names()) {
    if (name.includes(prefix)) await manager.streams.delete(name);
  }
  await connection.close();
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Until the server greets: it does so when it takes clients. */
async function untilListening(port: number): Promise<void> {
  for (;;) {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const read = await connection.read(new Uint8Array(16));
      connection.close();
      if (read !== null) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
