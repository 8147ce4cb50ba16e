import { cleanupOutdatedCaches, type PrecacheEntry, precache } from "workbox-precaching";
import { prepareComlink } from "../worker-roomserver/node/across-ports.ts";
import { shellAnswer } from "./app-shell.ts";
import { createClientApi, pathInScope } from "./door.ts";
import { allEndpoints } from "./index.ts";
import { TokenBuckets } from "./limits.ts";
import { openFromNotification } from "./notification-click.ts";
import { isFromPage, Pages } from "./pages.ts";
import { pushNote } from "./push-note.ts";
import { markOf, RelayedRequests } from "./relayed.ts";
import { RequestStatistics, requestStatisticsEndpoint } from "./request-statistics.ts";
import { RequestsUnderWay } from "./requests-under-way.ts";
import { WorkerLink } from "./worker-link.ts";

/*
 * The service worker. It may be stopped and started again at any moment, so it keeps nothing that it cannot get
 * back. Listeners are added while this script runs for the first time: later is too late for the browser.
 */

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: PrecacheEntry[] };

const { scope } = self.registration;
const scopePath = new URL(scope).pathname;

prepareComlink();
const pages = new Pages(self.clients, scope);
const link = new WorkerLink({
  askForPort: () => void pages.tell({ type: "needPort", ask: crypto.randomUUID() }),
  patience: 4_000,
  pingAfter: 5_000,
});
const underWay = new RequestsUnderWay(() => void pages.tell({ type: "busy" }));
const requests = new RequestStatistics(Date.now());
const clientApi = createClientApi({
  node: link.node,
  endpoints: [...allEndpoints, requestStatisticsEndpoint(requests)],
  onAnswered: requests.note,
  limiter: new TokenBuckets(Date.now),
  scopePath,
});

const relayed = new RelayedRequests({ clientApi, relays: link.node.relays, scopePath });

precache(self.__WB_MANIFEST);
cleanupOutdatedCaches();

self.addEventListener("install", () => void self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (origin !== self.location.origin) return;
  if (pathInScope(pathname, scopePath) !== undefined) {
    const { request } = event;
    const mark = markOf(request);
    const answer =
      mark === undefined
        ? clientApi(request, { source: "own", page: event.clientId || undefined })
        : relayed.answer(request, mark);
    event.respondWith(underWay.during(answer));
    return;
  }
  const shell = shellAnswer(event.request, scope);
  if (shell !== undefined) event.respondWith(shell);
});

self.addEventListener("push", (event) => {
  event.waitUntil(self.registration.showNotification(...pushNote));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openFromNotification(self.clients, scope, event.notification.data));
});

self.addEventListener("message", (event) => {
  const message: unknown = event.data;
  if (!isFromPage(message)) return;
  if (message.type === "claim") event.waitUntil(self.clients.claim());
  else if (message.type === "awake" && !underWay.any) event.waitUntil(pages.tell({ type: "idle" }));
  else if (message.type === "port" && event.ports[0]) link.offer(event.ports[0], message.epoch);
});
