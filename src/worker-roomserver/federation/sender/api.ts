import type { JsonObject } from "../../../matrix/json.ts";
import type { FederationForOwner, OutgoingEdus } from "../api.ts";
import type { FederationContext } from "../context.ts";

export type SenderOptions = Pick<
  FederationContext,
  | "storage"
  | "serverName"
  | "ed25519"
  | "client"
  | "destinations"
  | "room"
  | "roomQueries"
  | "now"
  | "later"
  | "random"
> & {
  edus: OutgoingEdus;
  /**
   * Failures in a row after which a server is taken to be away, and what waits for it goes to its relays. By default 1, as
   * in Dendrite: what a relay has needlessly does no harm.
   */
  assumedOfflineAfter?: number;
};

/** Sends what happens here to the other servers that it concerns. */
export interface FederationSender {
  readonly forOwner: FederationForOwner;
  /** Begins to follow the log, and to send what has been left from before. */
  start(): Promise<void>;
  /**
   * Notes which relays a server names.
   * @param document - its key document, whose signature has been checked. One row, unless it is what is known already
   */
  learnRelays(serverName: string, document: JsonObject): Promise<void>;
  /** Sends and writes nothing more, but for what is on its way. */
  close(): void;
}
