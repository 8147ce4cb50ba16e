import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Position } from "../storage/schema.ts";

export type PresenceState = "online" | "offline" | "unavailable";

export interface Presence {
  set(
    requester: Requester,
    userId: string,
    presence: PresenceState,
    statusMsg: string | undefined,
  ): Promise<void>;
  get(requester: Requester, userId: string): Promise<JsonObject>;
}

export interface PresenceForReaders {
  /** A client of the user has begun to sync with `set_presence`; call the result when that sync has ended. */
  syncing(userId: string, presence: PresenceState): () => void;
  /** The user has done something (sent an event): counts as activity now. */
  active(userId: string): void;
  /** m.presence events of those of `users` whose presence changed at `after < position <= upTo`. */
  changed(users: ReadonlySet<string>, after: Position, upTo: Position): Promise<JsonObject[]>;
}
