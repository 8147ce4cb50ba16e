import type { Requester } from "../node/requester.ts";

/** What a report is about. Ids come as clients sent them. */
export type Subject = { roomId: string; eventId?: string | undefined } | { userId: string };

/** `score`: -100, the worst, to 0; only older clients have one. */
export type Complaint = { reason?: string | undefined; score?: number | undefined };

export interface Reports {
  /**
   * Stores a complaint for the server's owner. At most five rows are read, and the keys of what the same user has
   * reported before.
   * @throws MatrixError M_NOT_FOUND 404 for a room or local user that is not known here, and for an event that the
   *   requester is not in the room to see; M_INVALID_PARAM 400 for an id that is none, and for a reason that is too long
   * @see https://spec.matrix.org/v1.19/client-server-api/#reporting-content
   */
  report(requester: Requester, subject: Subject, complaint: Complaint): Promise<void>;
}

export type Report = {
  /** Higher is later. */
  id: number;
  /** User id of who complained. */
  by: string;
  /** Milliseconds since 1970. */
  at: number;
  reason: string;
  score?: number | undefined;
  room_id?: string | undefined;
  event_id?: string | undefined;
  user_id?: string | undefined;
};

/** For the owner's console. Nothing here asks who calls, which is the caller's to know. */
export interface ReportsForOwner {
  /**
   * Reports, the newest first. Reads those of the page and one more.
   * @param page.from - `next` of the page before
   * @param page.limit - at most 500 are given
   */
  list(page: { from?: number | undefined; limit: number }): Promise<{ reports: Report[]; next?: number }>;
  /** One row. @throws MatrixError M_NOT_FOUND 404 */
  get(id: number): Promise<Report>;
  /** Removes a report that has been dealt with. One that is not there is no error. */
  dismiss(id: number): Promise<void>;
}
