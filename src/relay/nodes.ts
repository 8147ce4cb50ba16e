import { systemClock } from "../link/clock.ts";
import { chooseEd25519 } from "../matrix/ed25519.ts";
import type { Address } from "./config/kinds.ts";
import { openIngress } from "./ingress/ingress.ts";
import { defaultLimits, type IngressParts } from "./ingress/parts.ts";
import { openKeyMailbox } from "./key-mailbox/key-mailbox.ts";
import { openDomains } from "./names/domains.ts";
import { openKeyRing } from "./names/key-ring.ts";
import { isOfAnotherRelay, openNames } from "./names/names.ts";
import { publishedKeys } from "./names/published-keys.ts";
import { nodeApi } from "./node-api/node-api.ts";
import { errorFields } from "./observe/log.ts";
import type { Nodes, Services } from "./parts.ts";
import type { Listening } from "./server/api.ts";
import { listenError } from "./server/listen.ts";
import { createLinkDoor, LINK_PATH } from "./sessions/link-door.ts";
import { defaultSessionLimits, SessionRegistry } from "./sessions/registry.ts";
import { listenForWebTransport } from "./sessions/webtransport-listener.ts";
import { expiring, type NodeStorage } from "./storage.ts";
import type { TlsSource } from "./tls/api.ts";

/** In whose name the relay itself asks other servers: no node can have it, as it is no server name. */
const SELF = "(relay)";

/** All that the relay does for nodes: their sessions, their mail, and what others want of them. */
export async function openNodes(storage: NodeStorage, services: Services): Promise<Nodes> {
  const { config, version, log, metrics, egress, delegation, wakeUp } = services;
  const { documents, mailbox, arrivals } = storage;
  const ed25519 = await chooseEd25519(crypto.subtle);
  const now = () => Date.now();
  const onFault = (error: unknown) => log.error("nodes", errorFields(error));

  const published = publishedKeys(egress, SELF, ed25519);
  const domains = openDomains(delegation, published);
  const { name: relayName, shortNames, givenNames } = config;
  const names = openNames({ documents, domains, relayName, shortNames, givenNames, now });
  const keyRing = openKeyRing({ names, published, now });
  const keyMailbox = openKeyMailbox(documents);

  const own: SessionRegistry = new SessionRegistry({
    relayName: config.name,
    ed25519,
    authorize: names.authorize,
    handler: (owner, request, signal) => forNode(owner)(request, signal),
    clock: systemClock,
    limits: { ...defaultSessionLimits, sessions: config.nodes },
    log: onFault,
    opened: (link) => storage.sessions?.opened(link),
    changed: (owner, awake) => storage.sessions?.changed(owner, awake),
  });
  storage.sessions?.join(own);
  const sessions = storage.sessions ?? own;
  const forNode = nodeApi({
    ...{ mailbox, arrivals, keyMailbox, documents, names, egress, ed25519, sessions, wakeUp, onFault },
  });
  const parts: IngressParts = {
    ...{ relayName: config.name, version, sessions, mailbox, documents, keyMailbox, names, keyRing, ed25519 },
    onMail: (node) => void wakeUp.wake(node),
    ...{ onFault, now },
    limits: { ...defaultLimits, transactionBytes: config.transactionBytes },
  };
  const ingress = openIngress(parts);
  const accept = own.accept.bind(own);
  const door = createLinkDoor(systemClock, accept);
  const endExpiring = expiring(mailbox, config.retention, log);

  metrics.gauge("sessions", "Sessions of nodes that are open", () =>
    Object.values(own.counters.open).reduce((sum, count) => sum + count, 0),
  );
  metrics.gauge("handshakes", "Connections whose node has not proved its name yet", () =>
    Promise.resolve(own.counters.handshakes),
  );

  return {
    link: async (request, { address }) => {
      const { pathname } = new URL(request.url);
      const isLink = pathname === LINK_PATH || pathname.startsWith(`${LINK_PATH}/`);
      return isLink ? door(request, address) : undefined;
    },
    ingress: (request, { address }) => ingress.http(request, { address }),
    arrived: ingress.answer,
    quic: async (at, tls) => quic(at, tls, accept, onFault),
    local: async (serverName) => {
      const node = await names.nodeOf(serverName);
      if (node === undefined) return undefined;
      // It was here once; what is kept for it here now, it may never fetch.
      if (isOfAnotherRelay(serverName, config.name) && !(await sessions.isAwake(node))) return undefined;
      return (request, signal) => ingress.local(serverName, request, signal);
    },
    needsWaking: async (owner) =>
      !(await sessions.isAwake(owner)) && (await mailbox.backlog(owner)).entries > 0,
    checks: {},
    close: async (reason, grace) => {
      endExpiring();
      await own.close(reason, grace);
    },
  };
}

/** @throws {ListenError} */
function quic(
  at: Address,
  tls: TlsSource,
  accept: SessionRegistry["accept"],
  report: (error: unknown) => void,
): Listening {
  const certificate = () => {
    const { certificate: cert, key } = tls.current();
    return { cert, key };
  };
  const open = () => {
    try {
      const place = { hostname: at.host, port: at.port, certificate: certificate() };
      return listenForWebTransport(place, systemClock, accept, report);
    } catch (error) {
      throw listenError("quic-listen", at, error);
    }
  };
  const listener = open();
  const forget = tls.onChange(() => listener.renew(certificate()));
  return {
    address: { host: at.host, port: listener.port },
    close: async () => {
      forget();
      listener.close();
    },
  };
}
