import type { ChannelKind, LinkHandler, LinkIdentity, LinkRequest, LinkResponse } from "../../link/api.ts";
import { RELAY_API, type RelayInfo } from "../../link/relay-api.ts";
import type { KeeperOptions, OpenKeeper } from "./keeper.ts";
import { readInfo } from "./relay-info.ts";

/** What the link's own keeper says of itself. */
type LinkState =
  | { state: "connecting" }
  | { state: "open"; kind: ChannelKind; roundTrip: number | undefined }
  | { state: "waiting"; until: number; reason: string }
  | { state: "refused"; reason: string }
  | { state: "asleep" };

/** As much of the link's own keeper as is needed here. */
export type LinkKeeper = {
  reconnect(): void;
  sleep(reason: string): Promise<void>;
  request(make: () => LinkRequest, options: { signal?: AbortSignal }): Promise<LinkResponse>;
};
export type LinkKeeperOptions = {
  /** Read before each attempt, when the addresses are known. */
  readonly relayName: string;
  identity: LinkIdentity;
  handler: LinkHandler;
  addresses(signal: AbortSignal): Promise<RelayInfo["link"]>;
  changed(state: LinkState): void;
};

/**
 * Sessions by the link's own keeper.
 * @param make - loads and makes one, which does nothing before `reconnect`
 * @param ask - a `fetch`
 */
export function linkKeepers(
  make: (options: LinkKeeperOptions) => Promise<LinkKeeper>,
  ask: (url: string, init: RequestInit) => Promise<Response>,
): OpenKeeper {
  return (options) => {
    let isClosed = false;
    const made = linkKeeper(make, ask, { ...options, ...unlessClosed(options, () => isClosed) });
    made.then(
      (keeper) => keeper.reconnect(),
      (error: unknown) => {
        console.warn("hearth: what keeps sessions with relays could not be loaded", error);
        const reason = "A part of this page could not be loaded: please load it again.";
        if (!isClosed) options.onState({ phase: "refused", reason });
      },
    );
    const then = (use: (keeper: LinkKeeper) => unknown) => made.then(use, () => undefined);
    return {
      retry: () => void then((keeper) => keeper.reconnect()),
      close: async (reason) => {
        isClosed = true;
        await then((keeper) => keeper.sleep(reason));
      },
    };
  };
}

async function linkKeeper(
  make: (options: LinkKeeperOptions) => Promise<LinkKeeper>,
  ask: (url: string, init: RequestInit) => Promise<Response>,
  { url, identity, handler, onLink, onEnd, onState }: KeeperOptions,
): Promise<LinkKeeper> {
  let info: RelayInfo | undefined;
  let isOpen = false;
  const ended = () => {
    if (isOpen) onEnd();
    isOpen = false;
  };
  const keeper = await make({
    // What it calls itself is part of what is signed, so that no other relay can use it.
    get relayName() {
      return info?.name ?? new URL(url).host;
    },
    identity,
    handler,
    addresses: async (signal) => {
      info = await readInfo(ask, url + RELAY_API, signal);
      return info.link;
    },
    changed: (state) => {
      switch (state.state) {
        case "open": {
          const { kind, roundTrip } = state;
          onState({ phase: "connected", kind, ...(roundTrip !== undefined && { roundTrip }) });
          if (isOpen || info === undefined) return;
          isOpen = true;
          onLink({ request: (made, signal) => keeper.request(made, { ...(signal && { signal }) }) }, info);
          return;
        }
        case "waiting":
          onState({ phase: "waiting", retryAt: state.until, reason: state.reason });
          return ended();
        case "refused":
          onState({ phase: "refused", reason: state.reason });
          return ended();
        case "connecting":
          onState({ phase: "connecting" });
          return ended();
        case "asleep":
          return ended();
      }
    },
  });
  return keeper;
}

function unlessClosed({ onLink, onEnd, onState }: KeeperOptions, isClosed: () => boolean) {
  return {
    onLink: (...link: Parameters<typeof onLink>) => void (isClosed() || onLink(...link)),
    onEnd: () => void (isClosed() || onEnd()),
    onState: (...state: Parameters<typeof onState>) => void (isClosed() || onState(...state)),
  };
}
