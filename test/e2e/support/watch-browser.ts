import type { BrowserContext, ConsoleMessage, Worker } from "playwright-core";

/** What pages, workers and the service worker of a browser did that they should not have done. */
export type Watch = {
  /** Errors that nobody caught, and everything written to a console as an error. */
  readonly errors: string[];
  /** URLs of requests to somewhere else than the page's own origin. */
  readonly foreignRequests: string[];
};

/** Begins to watch; call it before the first page is opened. */
export function watchBrowser(context: BrowserContext, pageUrl: string): Watch {
  const watch: Watch = { errors: [], foreignRequests: [] };
  const { origin } = new URL(pageUrl);
  const onConsole = (message: ConsoleMessage) => {
    if (message.type() !== "error") return;
    const { url, lineNumber } = message.location();
    watch.errors.push(`${message.text()} (${url}:${lineNumber})`);
  };
  const onServiceWorker = (worker: Worker) => worker.on("console", onConsole);
  context.on("console", onConsole);
  context.on("weberror", (error) => watch.errors.push(error.error().stack ?? String(error.error())));
  context.on("serviceworker", onServiceWorker);
  context.serviceWorkers().forEach(onServiceWorker);
  context.on("request", (request) => {
    const { protocol, origin: target } = new URL(request.url());
    if (/^https?:|^wss?:/.test(protocol) && target !== origin) watch.foreignRequests.push(request.url());
  });
  return watch;
}
