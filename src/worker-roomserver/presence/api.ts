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

/** The presence of a user of another server. `lastActiveTs`: milliseconds since 1970, 0 for never. */
export type HeardPresence = {
  presence: PresenceState;
  currentlyActive: boolean;
  /** "" for none. */
  statusMsg: string;
  lastActiveTs: number;
};

/** For federation, which has found out that the users' own server says so, and that they share rooms with somebody here. */
export interface PresenceForServers {
  /**
   * Takes in the presence of users of another server, by user id. It holds for half an hour, unless it is heard again.
   * What has changed is written in one unit, an entry of the log each.
   */
  hear(updates: ReadonlyMap<string, HeardPresence>): Promise<void>;
}

export interface PresenceForReaders {
  /** A client of the user has begun to sync with `set_presence`; call the result when that sync has ended. */
  syncing(userId: string, presence: PresenceState): () => void;
  /** The user has done something (sent an event): counts as activity now. */
  active(userId: string): void;
  /** m.presence events of those of `users` whose presence changed at `after < position <= upTo`. */
  changed(users: ReadonlySet<string>, after: Position, upTo: Position): Promise<JsonObject[]>;
}
