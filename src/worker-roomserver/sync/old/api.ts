import type { JsonBytes, Requester } from "../../node/requester.ts";

export type EventsQuery = {
  /** A token of this or of another API; absent: from now on. */
  from?: string | undefined;
  /** Milliseconds to wait for an event; the caller has capped it. */
  timeout: number;
  /** Only this room, which the requester need not be in. */
  roomId?: string | undefined;
};

export type InitialSyncQuery = {
  /** Messages a room. */
  limit: number;
  /** Whether rooms that were left are shown too. */
  archived: boolean;
};

/** What was there before `/sync`, and of which `/events` and a room's `/initialSync` still serve to look into rooms. */
export interface OldSync {
  /**
   * `GET /events`: events after a token, the oldest first; waits while there are none. A look costs at most 500 entries
   * of the log, and the events among them that concern the user.
   * @param call - names this call, so that `cancel` can end it early
   * @throws MatrixError M_INVALID_PARAM 400 for a `from` that was never given out or is so old that the log does not
   *   reach back to it; M_FORBIDDEN 403 for a room that the requester may not look into
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events
   */
  events(requester: Requester, query: EventsQuery, call: string): Promise<JsonBytes>;
  /** The client of this call has gone: stop waiting. Unknown names are ignored. */
  cancel(call: string): Promise<void>;
  /**
   * `GET /initialSync`. Costs what a first `/sync` does, and a row for each room.
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync
   */
  initialSync(requester: Requester, query: InitialSyncQuery): Promise<JsonBytes>;
  /**
   * `GET /rooms/{roomId}/initialSync`. Costs the room's state and a page of messages.
   * @throws MatrixError M_FORBIDDEN 403
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync
   */
  roomInitialSync(requester: Requester, roomId: string): Promise<JsonBytes>;
  /**
   * `GET /events/{eventId}`: one event of any room.
   * @throws MatrixError M_NOT_FOUND 404, also for one that the requester may not see
   */
  event(requester: Requester, eventId: string): Promise<JsonBytes>;
}
