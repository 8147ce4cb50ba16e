import type { JsonBytes, Requester } from "../node/requester.ts";

export type SyncQuery = {
  /** A filter's id or its JSON text. */
  filter?: string | undefined;
  since?: string | undefined;
  fullState: boolean;
  setPresence: "online" | "offline" | "unavailable";
  /** Milliseconds to wait for something new; the caller has capped it. */
  timeout: number;
  useStateAfter: boolean;
};

export interface Sync {
  /**
   * One `GET /sync`.
   * @param sync - names this call, so that `cancel` can end it early
   */
  sync(requester: Requester, query: SyncQuery, sync: string): Promise<JsonBytes>;
  /** The client of this call has gone: stop waiting. Unknown names are ignored. */
  cancel(sync: string): Promise<void>;
}
