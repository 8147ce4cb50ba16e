import type { JsonBytes, Requester } from "../node/requester.ts";
import type { SlidingSync } from "./sliding/api.ts";

/**
 * Where the state of a room stands in the answer: `state` (as of the timeline's start) or, for clients that asked
 * for it, after the timeline, under the stable name or the one that it had in MSC4222.
 */
export type StateSection = "state" | "state_after" | "org.matrix.msc4222.state_after";

export type SyncQuery = {
  /** A filter's id or its JSON text. */
  filter?: string | undefined;
  since?: string | undefined;
  fullState: boolean;
  setPresence: "online" | "offline" | "unavailable";
  /** Milliseconds to wait for something new; the caller has capped it. */
  timeout: number;
  stateSection: StateSection;
};

export interface Sync extends SlidingSync {
  /**
   * One `GET /sync`.
   * @param sync - names this call, so that `cancel` can end it early
   * @throws MatrixError M_INVALID_PARAM for a `since` or filter id that was never given out, M_NOT_JSON or
   *   M_BAD_JSON for a filter that is none
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
   */
  sync(requester: Requester, query: SyncQuery, sync: string): Promise<JsonBytes>;
  /**
   * Whose devices have changed between two tokens of sync, for the requester, and with whom they share no room any
   * more. Changes of keys after `to` count too: the client is told of them again.
   * @throws MatrixError M_INVALID_PARAM for a token that was never given out
   *
   * Reads two snapshots for each of the user's rooms, and what differs.
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
   */
  deviceLists(requester: Requester, from: string, to: string): Promise<{ changed: string[]; left: string[] }>;
  /** The client of this call has gone: stop waiting. Unknown names are ignored. */
  cancel(sync: string): Promise<void>;
  /** How many syncs, of both kinds, wait for something new. */
  waiting(): Promise<number>;
}
