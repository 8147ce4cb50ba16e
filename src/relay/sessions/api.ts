import type { LinkRequest, LinkResponse } from "../../link/api.ts";

/** Reaches nodes that are awake, on this relay or (in a cluster) on another. */
export type Sessions = {
  /** Whether a session of the node is open, and the node has not said that it goes to sleep. */
  isAwake(serverName: string): Promise<boolean>;
  /**
   * Hands a request to the node.
   * @returns undefined when the node is away, or went before the head of its answer came. It may have begun with it.
   */
  forward(serverName: string, request: LinkRequest, signal: AbortSignal): Promise<LinkResponse | undefined>;
};
