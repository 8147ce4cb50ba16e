import type { LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import type { LinkAddresses } from "../../../src/link/transports/connect.ts";
import { createLinkDoor, LINK_PATH } from "../../../src/relay/sessions/link-door.ts";
import { defaultSessionLimits, SessionRegistry } from "../../../src/relay/sessions/registry.ts";
import { listenForWebTransport } from "../../../src/relay/sessions/webtransport-listener.ts";
import { ed25519, relayName } from "../../link/support/identities.ts";
import { makeCertificate } from "./certificate.ts";

/** Sessions over all three transports on loopback, and nothing else of a relay. */
export async function startLinkRelay(
  handler: LinkHandler,
  other: (request: Request, registry: SessionRegistry) => Response | Promise<Response> = () =>
    new Response(null, { status: 404 }),
) {
  const registry = new SessionRegistry({
    relayName,
    ed25519,
    authorize: async () => undefined,
    handler: (_, request, signal) => handler(request, signal),
    clock: systemClock,
    limits: defaultSessionLimits,
    log: (error) => console.error(error),
  });
  const accept = registry.accept.bind(registry);
  const door = createLinkDoor(systemClock, accept);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, (request, info) =>
    new URL(request.url).pathname.startsWith(LINK_PATH)
      ? door(request, info.remoteAddr.hostname)
      : other(request, registry),
  );
  const { certificate, hash } = await makeCertificate();
  const quic = listenForWebTransport(
    { hostname: "127.0.0.1", port: 0, certificate },
    systemClock,
    accept,
    console.error,
  );
  const addresses: LinkAddresses = {
    websocket: `ws://127.0.0.1:${server.addr.port}${LINK_PATH}`,
    fetch: `http://127.0.0.1:${server.addr.port}${LINK_PATH}`,
    webtransport: { url: `https://127.0.0.1:${quic.port}${LINK_PATH}`, certificate_hashes: [hash] },
  };
  return {
    registry,
    addresses,
    quic,
    origin: `http://127.0.0.1:${server.addr.port}`,
    async stop() {
      await registry.close("The relay has stopped.", 0);
      quic.close();
      await server.shutdown();
    },
  };
}
