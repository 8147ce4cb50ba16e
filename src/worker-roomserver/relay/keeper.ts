import type { ChannelKind, LinkHandler, LinkIdentity, LinkRequest, LinkResponse } from "../../link/api.ts";
import type { RelayInfo } from "../../link/relay-api.ts";

/** How the keeping of a session stands. `retryAt`: milliseconds since 1970; `reason`: for people. */
export type KeeperState =
  | { phase: "connecting" }
  /** `roundTrip`: milliseconds there and back, once that was measured. */
  | { phase: "connected"; kind: ChannelKind; roundTrip?: number }
  | { phase: "waiting"; retryAt: number; reason: string }
  | { phase: "refused"; reason: string };

/** Whichever session is open: it may give way to one over a better kind of connection. */
export type KeptLink = {
  /**
   * @param make - makes the request, once for each time it is sent: again only where the relay has not begun with it
   * @throws LinkError when no answer came over a session
   */
  request(make: () => LinkRequest, signal?: AbortSignal): Promise<LinkResponse>;
};

/** None of the callbacks is called before `OpenKeeper` has returned, nor after `close`. */
export type KeeperOptions = {
  /** Origin of the relay. */
  url: string;
  identity: LinkIdentity;
  /** Answers what the relay asks, over any of its sessions. */
  handler: LinkHandler;
  /** There is a session where there was none. */
  onLink: (link: KeptLink, info: RelayInfo) => void;
  /** There is none any more. */
  onEnd: () => void;
  onState: (state: KeeperState) => void;
};

/** Keeps a session with one relay for as long as it is not closed. */
export type Keeper = {
  /** Tries to connect now, also after a refusal. */
  retry(): void;
  close(reason: string): Promise<void>;
};

export type OpenKeeper = (options: KeeperOptions) => Keeper;
