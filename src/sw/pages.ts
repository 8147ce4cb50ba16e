/*
 * What pages and the service worker say to one another. src/ui/boot/messages.ts is the other end: pages import
 * nothing of this.
 */

/**
 * From a page.
 * - `port`: a port (transferred along) to the worker that leads with `epoch`.
 * - `claim`: the page has been loaded past the service worker (shift-reload) and wants to be controlled.
 * - `awake`: keeps the service worker from being stopped while requests are under way.
 */
export type FromPage = { type: "port"; epoch: number } | { type: "claim" } | { type: "awake" };

/**
 * To the pages.
 * - `needPort`: the service worker has no leader; `ask` tells repetitions of one question from a new one.
 * - `busy`: requests are under way that take long; each page sends `awake` until it is told `idle`.
 */
export type ToPages = { type: "needPort"; ask: string } | { type: "busy" } | { type: "idle" };

export function isFromPage(data: unknown): data is FromPage {
  if (typeof data !== "object" || data === null || !("type" in data)) return false;
  if (data.type === "port") return "epoch" in data && typeof data.epoch === "number";
  return data.type === "claim" || data.type === "awake";
}

/** Reaches every open page of this scope, also those that are not controlled (yet). */
export class Pages {
  readonly #clients: Clients;
  readonly #channel: BroadcastChannel;
  readonly #scope: string;

  constructor(clients: Clients, scope: string) {
    this.#clients = clients;
    this.#scope = scope;
    this.#channel = new BroadcastChannel(`hearth:${new URL(scope).pathname}`);
  }

  /** By both ways that there are: each has browsers and moments in which it alone arrives. */
  async tell(message: ToPages): Promise<void> {
    this.#channel.postMessage(message);
    const pages = await this.#clients.matchAll({ type: "window", includeUncontrolled: true });
    for (const page of pages) if (page.url.startsWith(this.#scope)) page.postMessage(message);
  }
}
