import { systemClock } from "../../../src/link/clock.ts";
import { RELAY_API } from "../../../src/link/relay-api.ts";
import { openCluster } from "../../../src/relay/cluster/cluster.ts";
import { openIngress } from "../../../src/relay/ingress/ingress.ts";
import { defaultLimits } from "../../../src/relay/ingress/parts.ts";
import { openKeyMailbox } from "../../../src/relay/key-mailbox/key-mailbox.ts";
import { openDomains } from "../../../src/relay/names/domains.ts";
import { openKeyRing } from "../../../src/relay/names/key-ring.ts";
import { openNames } from "../../../src/relay/names/names.ts";
import { publishedKeys } from "../../../src/relay/names/published-keys.ts";
import { nodeApi } from "../../../src/relay/node-api/node-api.ts";
import { createLinkDoor, LINK_PATH } from "../../../src/relay/sessions/link-door.ts";
import { defaultSessionLimits, SessionRegistry } from "../../../src/relay/sessions/registry.ts";
import { ed25519, RELAY } from "./people.ts";

/** A relay of a cluster: all but the way out, the page and TLS, over HTTP on loopback. */
export async function startClusterRelay(servers: string[], replicas: number, prefix: string) {
  const log = (error: unknown) => console.error(error);
  const cluster = await openCluster({
    ...{ servers, replicas, prefix, clock: systemClock, log, retention: 86_400_000 },
    limits: { bytes: 1 << 30, entries: 100_000 },
    within: 30_000,
  });
  const { documents, mailbox, arrivals, sessions } = cluster;
  const egress = async () => ({ status: 502, headers: [] });
  const published = publishedKeys(egress, RELAY, ed25519);
  const domains = openDomains(async () => undefined, published);
  const now = () => Date.now();
  const names = openNames({
    ...{ documents, domains, relayName: RELAY, shortNames: true, now },
    givenNames: ["127.0.0.1:8448"],
  });
  const keyRing = openKeyRing({ names, published, now });
  const keyMailbox = openKeyMailbox(documents);
  const api = nodeApi({
    ...{ mailbox, arrivals, keyMailbox, documents, names, egress, ed25519, sessions, onFault: log },
    wakeUp: { subscribe: async () => undefined, isSubscribed: async () => false },
  });
  const registry = new SessionRegistry({
    relayName: RELAY,
    ed25519,
    authorize: (claim) => names.authorize(claim),
    handler: (serverName, request, signal) => api(serverName)(request, signal),
    clock: systemClock,
    limits: defaultSessionLimits,
    log,
    opened: (link) => sessions.opened(link),
    changed: (serverName, awake) => sessions.changed(serverName, awake),
  });
  sessions.join(registry);
  const ingress = openIngress({
    ...{ relayName: RELAY, version: "1", sessions, mailbox, documents, keyMailbox, names, keyRing, ed25519 },
    ...{ onMail: () => undefined, onFault: log, now, limits: defaultLimits },
  });
  const door = createLinkDoor(systemClock, registry.accept.bind(registry));
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => undefined };
  const server = Deno.serve(options, async (request, info) => {
    const address = info.remoteAddr.hostname;
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(LINK_PATH)) return door(request, address);
    if (pathname.startsWith(RELAY_API)) return Response.json({ open: registry.counters.open });
    return (await ingress.http(request, { address })) ?? new Response(null, { status: 404 });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  return {
    origin: `http://${host}`,
    addresses: { websocket: `ws://${host}${LINK_PATH}`, fetch: `http://${host}${LINK_PATH}` },
    ...{ cluster, registry, mailbox, sessions },
    async stop() {
      await registry.close("The relay stops.", 0);
      await server.shutdown();
      await cluster.close();
    },
  };
}
