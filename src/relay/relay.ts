import type { Config } from "./config/config.ts";
import { publicUrlOf } from "./config/config.ts";
import { ConfigError } from "./config/read.ts";
import { takeDataFolder } from "./data-folder.ts";
import { type Outside, openOutside } from "./egress/open.ts";
import { relayInfo } from "./info.ts";
import { type HealthChecks, openHealth } from "./observe/health.ts";
import { errorFields, type Log } from "./observe/log.ts";
import { type Metrics, openMetrics } from "./observe/metrics.ts";
import { openPage } from "./page/page-files.ts";
import type { Nodes, RelayParts, Storage } from "./parts.ts";
import type { Listening } from "./server/api.ts";
import { listenHttp } from "./server/listen.ts";
import { listenForDendrite } from "./server/listen-dendrite.ts";
import { openMetricsHandler } from "./server/metrics-handler.ts";
import { openPublicHandler } from "./server/public-handler.ts";
import type { TlsSource } from "./tls/api.ts";
import { openDevelopmentCertificates } from "./tls/development.ts";
import { openCertificateFiles } from "./tls/files.ts";
import { noWakeUp } from "./wake-up/no-wake-up.ts";
import { vapidKeys } from "./wake-up/vapid.ts";
import { openWakeUp } from "./wake-up/web-push.ts";

export type Relay = {
  /** Where browsers find it. */
  url: string;
  /** Takes nothing new, tells the nodes, lets what is under way end. At most ten seconds. */
  stop(reason: string): Promise<void>;
};

/** Milliseconds for nodes, and after that for what is still under way over HTTP. */
const grace = { nodes: 5_000, http: 8_000 };

/**
 * Starts a relay.
 * @throws {ConfigError} or {ListenError}, in words for the operator; nothing is left running then
 */
export async function openRelay<S extends Storage>(
  config: Config,
  version: string,
  log: Log,
  parts: RelayParts<S>,
): Promise<Relay> {
  const closing: (() => unknown)[] = [];
  /** In the reverse order of opening. */
  const closeAll = async () => {
    for (const close of closing.splice(0).reverse()) {
      await Promise.resolve(close()).catch((error: unknown) => log.error("close", errorFields(error)));
    }
  };
  try {
    return await start(config, version, log, parts, closing, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function start<S extends Storage>(
  config: Config,
  version: string,
  log: Log,
  parts: RelayParts<S>,
  closing: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<Relay> {
  const metrics = openMetrics();
  closing.push(await takeDataFolder(config.data));
  const tls = await openTls(config, log);
  closing.push(tls.close);
  const storage = await parts.openStorage(config, log);
  closing.push(storage.close);

  // The way out and the nodes need one another: nobody asks before both are there.
  let nodes: Nodes | undefined;
  const outside = await openWayOut(config, log, metrics, async (name) => nodes?.local(name));
  closing.push(outside.close);
  const keys = config.wakeUpContact === undefined ? undefined : await vapidKeys(storage.documents);
  const wakeUp =
    keys === undefined || config.wakeUpContact === undefined
      ? noWakeUp
      : openWakeUp({
          documents: storage.documents,
          ask: outside.ask,
          sender: { keys, contact: config.wakeUpContact, relayName: config.name },
          needed: async (owner) => (await nodes?.needsWaking(owner)) === true,
          now: () => Date.now(),
          observe: metrics.wakeUp,
          report: (error) => log.error("wake-up", errorFields(error)),
        });
  closing.push(wakeUp.close);
  const { egress, delegation } = outside;
  const opened = await parts.openNodes(storage, {
    config,
    version,
    log,
    metrics,
    egress,
    delegation,
    wakeUp,
  });
  nodes = opened;

  let stopping = false;
  const own: HealthChecks = { relay: () => (stopping ? "is stopping" : undefined) };
  const health = openHealth({ ...own, ...storage.checks, ...opened.checks }, () => performance.now());
  const listeners: Listening[] = [];
  const stop = async (reason: string) => {
    stopping = true;
    log.info("stopping", { reason });
    const closed = Promise.all(listeners.map((listener) => listener.close(grace.http)));
    await opened.close(reason, grace.nodes);
    await closed;
    await closeAll();
    log.info("stopped");
  };
  try {
    const quicAt = config.quicListen && (await opened.quic(config.quicListen, tls));
    if (quicAt !== undefined) listeners.push(quicAt);
    const page = config.page === undefined ? undefined : await openPageFolder(config.page);
    let port = config.listen?.port ?? config.federationListen?.port ?? 0;
    const quic = () => quicAt && { at: quicAt.address, hashes: tls.hashes() };
    const handler = openPublicHandler({
      info: () => relayInfo(config, { version, port, quic: quic(), wakeUpKey: keys?.publicKey }),
      health,
      link: opened.link,
      ingress: opened.ingress,
      page,
      proxies: config.trustedProxies,
      log,
      metrics,
    });
    const report = (error: unknown) => log.error("listener", errorFields(error));
    if (config.listen !== undefined) {
      const listening = await listenHttp("listen", config.listen, handler, undefined, report);
      listeners.push(listening);
      port = listening.address.port;
    }
    if (config.federationListen !== undefined) {
      listeners.push(await listenHttp("federation-listen", config.federationListen, handler, tls, report));
    }
    if (config.dendriteListen !== undefined) {
      const own = config.tls === undefined ? undefined : tls;
      const parts = { answer: opened.arrived, proxies: config.trustedProxies, tls: own, report };
      listeners.push(await listenForDendrite(config.dendriteListen, parts));
    }
    if (config.metricsListen !== undefined) {
      const handler = openMetricsHandler(metrics);
      listeners.push(await listenHttp("metrics-listen", config.metricsListen, handler, undefined, report));
    }
    const url = `${publicUrlOf(config, port)}/`;
    const at = listeners.map(({ address }) => `${address.host}:${address.port}`).join(" ");
    log.info("ready", { name: config.name, version, url, listening: at, data: config.data });
    return { url, stop };
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close(0)));
    await opened.close("The relay could not be started.", 0);
    throw error;
  }
}

async function openTls(config: Config, log: Log): Promise<TlsSource> {
  const report = (problem: string) => log.error("certificate", { problem });
  if (config.tls === undefined) {
    const names = ["localhost", "127.0.0.1", "::1", config.name.replace(/:\d+$/, "")];
    return openDevelopmentCertificates(
      `${config.data}/certificates.json`,
      [...new Set(names)],
      () => Date.now(),
      report,
    );
  }
  return openCertificateFiles(config.tls, report).catch((error: Error) => {
    throw new ConfigError(`tls-certificate, tls-key: ${error.message}`);
  });
}

async function openWayOut(
  config: Config,
  log: Log,
  metrics: Metrics,
  local: Nodes["local"],
): Promise<Outside> {
  const authorities = await Promise.all(
    config.ca.map((path) =>
      Deno.readTextFile(path).catch((error: Error) => {
        throw new ConfigError(`ca: cannot read ${path}: ${error.message}`);
      }),
    ),
  );
  return openOutside({
    limits: {
      perMinute: config.requestsPerMinute,
      burst: config.requestsAtOnce,
      perOwner: config.requestsUnderWay,
      perTarget: config.requestsToOneServer,
      total: 10 * config.requestsToOneServer,
    },
    allowPrivate: config.allowPrivate,
    authorities,
    plainHttp: config.plainHttp,
    local,
    observe: metrics.egress,
    report: (error) => log.error("egress", errorFields(error)),
  });
}

async function openPageFolder(folder: string) {
  return openPage(folder).catch((error: Error) => {
    throw new ConfigError(`page: cannot read ${folder}: ${error.message}`);
  });
}
