import type { HomeserverWorker } from "./worker.ts";

/**
 * What a program that runs this page for its owner (scripts/headless) has put there before the page was loaded. Only who
 * holds the browser's debugging interface can: no link, no other page and no content.
 */
type HostedWindow = {
  hearthHost?: {
    /** For the worker, which knows what it means: see HostWishes there. */
    readonly wishes: object;
    /** A BootState: see boot.ts. */
    onState(state: { phase: string; detail?: string }): void;
    /** From here on is what the page gives, once the homeserver is ready. */
    ask?: HomeserverWorker["ask"];
    sleep?: HomeserverWorker["sleep"];
  };
};

/** The host of this page; undefined where a person has opened it. */
export const hostOfPage = ownMember(window as HostedWindow);

/** Elements and frames that bear such a name are not the window's own members. */
function ownMember(page: HostedWindow): HostedWindow["hearthHost"] {
  return Object.hasOwn(page, "hearthHost") ? page.hearthHost : undefined;
}

/** Lets the host use the homeserver that runs in this tab. */
export function serveHost(worker: HomeserverWorker): void {
  if (hostOfPage === undefined) return;
  hostOfPage.ask = (question) => worker.ask(question);
  hostOfPage.sleep = () => worker.sleep();
}
