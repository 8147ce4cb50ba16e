import type { Address } from "../config/kinds.ts";
import type { TlsSource } from "../tls/api.ts";
import type { Listening } from "./api.ts";
import type { PublicHandler } from "./public-handler.ts";

/** A place where nothing can listen. The message is for the operator. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Milliseconds between attempts to take a port again that is being given up, and how often. */
const again = { wait: 20, times: 250 };

/**
 * HTTP at that address; with `tls`, HTTPS, whose certificate is changed without a request being lost.
 * @param setting - the key that says where, for the error
 * @throws {ListenError}
 */
export async function listenHttp(
  setting: string,
  at: Address,
  handler: PublicHandler,
  tls: TlsSource | undefined,
  report: (error: unknown) => void,
): Promise<Listening> {
  const answer: Deno.ServeHandler<Deno.NetAddr> = (request, { remoteAddr }) =>
    handler(request, { address: plainAddress(remoteAddr.hostname), secure: tls !== undefined });
  const open = (port: number) => {
    const certificate = tls?.current();
    return Deno.serve(
      {
        hostname: at.host,
        port,
        onListen: () => undefined,
        onError: (error) => {
          report(error);
          return new Response(null, { status: 500 });
        },
        ...(certificate && { cert: certificate.certificate, key: certificate.key }),
      },
      answer,
    );
  };

  const first = openFirst(setting, at, open);
  const { hostname, port } = first.addr;
  let running = first;
  let moving = Promise.resolve();
  const reload = async () => {
    const old = running;
    // The port is free as soon as nothing new is taken; what is under way ends in its own time.
    old.shutdown().catch(report);
    running = await reopened(() => open(port));
  };
  const forget = tls?.onChange(() => {
    moving = moving.then(reload).catch(report);
  });
  return {
    address: { host: hostname, port },
    async close(grace) {
      forget?.();
      await moving;
      await closeServer(running, grace);
    },
  };
}

type Server = Deno.HttpServer<Deno.NetAddr>;

function openFirst(setting: string, at: Address, open: (port: number) => Server): Server {
  try {
    return open(at.port);
  } catch (error) {
    throw listenError(setting, at, error);
  }
}

/** In words for the operator, for any kind of socket. */
export function listenError(setting: string, { host, port }: Address, error: unknown): unknown {
  const place = `${setting}: port ${port} of ${host}`;
  if (error instanceof Deno.errors.AddrInUse) return new ListenError(`${place} is taken by another program`);
  if (error instanceof Deno.errors.PermissionDenied)
    return new ListenError(`${place} is not open to this user`);
  if (error instanceof Deno.errors.AddrNotAvailable)
    return new ListenError(`${setting}: ${host} is not an address of this machine`);
  return error;
}

async function reopened(open: () => Server): Promise<Server> {
  for (let left = again.times; ; left -= 1) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, again.wait));
    }
  }
}

/** What is still under way after the grace ends with the process: Deno has no way to end it before. */
async function closeServer(server: Server, grace: number): Promise<void> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    late = setTimeout(resolve, grace);
  });
  await Promise.race([server.shutdown(), over]).finally(() => clearTimeout(late));
}

/** IPv4 as it is, where the socket is of both families. */
const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "");
