import type { ByteChannel } from "../../link/api.ts";
import type { Clock } from "../../link/clock.ts";
import { webTransportChannel } from "../../link/transports/webtransport.ts";
import { type AcceptChannel, LINK_PATH } from "./link-door.ts";

export type Certificate = {
  /** PEM: the certificate, and those between it and its root. */
  cert: string;
  /** PEM. */
  key: string;
};

export type WebTransportListener = {
  readonly port: number;
  /** Shows another certificate from now on; sessions that are open stay so. */
  renew(certificate: Certificate): void;
  /** Ends all connections at once: sessions are to be closed before. */
  close(): void;
};

/** From the first packet to the stream of the session, in milliseconds. */
const openingLimit = 10_000;
/** Connections that have not come so far yet. */
const maxOpening = 512;

const transportOptions = {
  alpnProtocols: ["h3"],
  // A session is one stream, and HTTP/3 needs one for itself; a peer's control streams are three.
  maxConcurrentBidirectionalStreams: 4,
  maxConcurrentUnidirectionalStreams: 8,
  // Under the 30 seconds after which routers forget a UDP flow. The session's own pings find out who is gone.
  keepAliveInterval: 15_000,
  maxIdleTimeout: 60_000,
};

/**
 * Accepts sessions over WebTransport.
 * @param log - what ends the listening, where nobody has asked for that
 */
export function listenForWebTransport(
  { hostname, port, certificate }: { hostname: string; port: number; certificate: Certificate },
  clock: Clock,
  accept: AcceptChannel,
  log: (error: unknown) => void,
): WebTransportListener {
  const endpoint = new Deno.QuicEndpoint({ hostname, port });
  let opening = 0;

  async function take(incoming: Deno.QuicIncoming): Promise<void> {
    if (opening >= maxOpening) return incoming.refuse();
    opening++;
    let connection: Deno.QuicConn | undefined;
    let callOff: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      callOff = clock.after(openingLimit, () => reject(new Error("Too slow.")));
    });
    try {
      connection = await Promise.race([incoming.accept(), late]);
      const channel = await Promise.race([openChannel(connection), late]);
      // Not the one of `incoming`: to read it there takes the connection away (Deno 2.9).
      void accept(channel, connection.remoteAddr.hostname);
    } catch {
      // Whoever it was has gone, or speaks something else: there is nobody to tell.
      connection?.close({ closeCode: 0, reason: "The session could not be opened." });
    } finally {
      callOff();
      opening--;
    }
  }

  function listen({ cert, key }: Certificate): Deno.QuicListener {
    const listener = endpoint.listen({ ...transportOptions, cert, key });
    void (async () => {
      try {
        for await (const incoming of listener) void take(incoming);
      } catch (error) {
        // Stopping ends the loop this way.
        if (!stopped.has(listener)) log(error);
      }
    })();
    return listener;
  }

  const stopped = new Set<Deno.QuicListener>();
  let listener = listen(certificate);
  return {
    port: endpoint.addr.port,
    renew(next) {
      stopped.add(listener);
      listener.stop();
      listener = listen(next);
    },
    close() {
      stopped.add(listener);
      listener.stop();
      endpoint.close({ closeCode: 0, reason: "The relay has stopped." });
    },
  };
}

/** @throws where nobody opens a session at the right address */
async function openChannel(connection: Deno.QuicConn): Promise<ByteChannel> {
  const session = await Deno.upgradeWebTransport(connection);
  // Its failure is seen where it is read.
  session.closed.catch(() => undefined);
  if (new URL(session.url).pathname !== LINK_PATH) throw new Error("There is nothing here.");
  await session.ready;
  const { value: stream } = await session.incomingBidirectionalStreams.getReader().read();
  if (stream === undefined) throw new Error("The session ended before it began.");
  return webTransportChannel(session, stream);
}
