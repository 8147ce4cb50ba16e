import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Position } from "../storage/schema.ts";

export type PresenceState = "online" | "offline" | "unavailable";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus */
export type PresenceContent = {
  presence: PresenceState;
  /** Milliseconds; absent for who was never active. */
  last_active_ago?: number;
  /** Only of those who are online. */
  currently_active?: boolean;
  status_msg?: string;
};

export interface Presence {
  set(
    requester: Requester,
    userId: string,
    presence: PresenceState,
    statusMsg: string | undefined,
  ): Promise<void>;
  /** @throws MatrixError M_FORBIDDEN for users with whom the requester shares no room */
  get(requester: Requester, userId: string): Promise<PresenceContent>;
}

export interface PresenceForReaders {
  /** A client of the user has begun to sync with `set_presence`; call the result when that sync has ended. */
  syncing(userId: string, presence: PresenceState): () => void;
  /** The user has done something (sent an event): counts as activity now. */
  active(userId: string): void;
  /** m.presence events of those of `users` whose presence changed at `after < position <= upTo`. */
  changed(users: ReadonlySet<string>, after: Position, upTo: Position): Promise<JsonObject[]>;
}
