import { expose } from "comlink";
import { prepareComlink } from "./node/across-ports.ts";
import { homeRelayOf } from "./node/home-relay.ts";
import type { HostQuestion, HostWishes } from "./node/host.ts";
import { later, loadAllLater, once } from "./node/later.ts";
import { type OpenNode, openNode } from "./node/node.ts";

/*
 * The dedicated worker: opens the homeserver over its database, and lets whoever holds a port call it. The page
 * that owns it hands the ports on, and ends it when it is told that it must not be used any more.
 */

declare const self: DedicatedWorkerGlobalScope;

/**
 * From the page: `asleep` when the browser stops it or lets it go on; `open` once, first of all; `port` (transferred along) for each who wants to call
 * the node; `ask` and `sleep` with a port for the answer.
 */
type FromPage =
  | { type: "open"; dbName: string; host?: HostWishes }
  | { type: "port" }
  | { type: "asleep"; asleep: boolean }
  | { type: "ask"; question: HostQuestion }
  | { type: "sleep" };

/** To the page; src/ui/boot/messages.ts says what each means to it. */
type ToPage =
  | { type: "ready"; epoch: number }
  | { type: "failed"; message: string }
  | { type: "stopped"; why: "fenced" | "superseded" | "lost" };

/** Milliseconds after opening, when the page has what it wanted first. */
const CALM_AFTER = 10_000;

prepareComlink();

const tellPage = (message: ToPage) => self.postMessage(message);

// Few pages have a host.
const hosting = later(() => import("./node/host.ts"));

let opened: Promise<OpenNode> | undefined;

self.addEventListener("message", ({ data, ports }: MessageEvent<FromPage>) => {
  const [port] = ports;
  if (data.type === "open") void open(data.dbName, data.host);
  else if (data.type === "asleep") void opened?.then((node) => node.relays.setAsleep(data.asleep));
  else if (port === undefined || opened === undefined) return;
  else if (data.type === "port") void opened.then((node) => expose(node, port));
  else void answerOnPort(opened, data, port);
});

/** For the host of the page, which asks nothing before it is ready. */
async function answerOnPort(
  node: Promise<OpenNode>,
  data: Extract<FromPage, { type: "ask" | "sleep" }>,
  port: MessagePort,
): Promise<void> {
  const answer =
    data.type === "ask"
      ? (await hosting()).answerHost(await node, data.question)
      : (await node).relays.setAsleep(true);
  port.postMessage(await answer);
}

async function open(dbName: string, host: HostWishes = {}): Promise<void> {
  const { origin } = self.location;
  const homeRelay = once(homeRelayOf(origin, (url, init) => fetch(url, init)));
  // Asked while the database is being made, so that it takes no time of its own.
  if (await isNew(dbName)) void homeRelay();
  opened = openNode({
    dbName,
    now: Date.now,
    onStopped: (why) => tellPage({ type: "stopped", why }),
    origin,
    homeRelay,
    ...(host.serverName !== undefined && { serverName: host.serverName }),
  });
  try {
    const { epoch } = await (await opened).info();
    // Before anybody can ask for anything.
    if (host.settings !== undefined) await (await opened).settings.set(host.settings);
    tellPage({ type: "ready", epoch });
    void startRelays(await opened);
    setTimeout(() => void loadTheRest(), CALM_AFTER);
  } catch (error) {
    console.error("hearth: the homeserver could not start", error);
    // This page is older than the database: a newer version of it has been here.
    const isOld = error instanceof DOMException && error.name === "VersionError";
    tellPage(isOld ? { type: "stopped", why: "superseded" } : { type: "failed", message: String(error) });
  }
}

/** Where the browser does not say which databases there are, it is asked a little later. */
async function isNew(dbName: string): Promise<boolean> {
  if (!("databases" in indexedDB)) return false;
  return !(await indexedDB.databases()).some(({ name }) => name === dbName);
}

async function startRelays(node: OpenNode): Promise<void> {
  try {
    await node.startRelays();
    await node.startFederation();
  } catch (error) {
    console.warn(
      "hearth: the way to other servers could not be loaded; the page's settings try again",
      error,
    );
  }
}

async function loadTheRest(): Promise<void> {
  try {
    await loadAllLater();
  } catch (error) {
    // Whoever needs it loads it again, and is told if that fails as well.
    console.warn("hearth: a part of the homeserver's code could not be loaded yet", error);
  }
}
