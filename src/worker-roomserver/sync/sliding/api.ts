import type { JsonBytes, Requester } from "../../node/requester.ts";

/** `[type, state key]`; either may be `*`, and the key of `m.room.member` also `$ME` or `$LAZY`. */
export type StatePair = readonly [type: string, stateKey: string];

/** What a client wants to get of a room. */
export type RoomConfig = {
  /** Events in `timeline`, at most. */
  timeline_limit: number;
  required_state: readonly StatePair[];
};

export type ListFilters = {
  is_dm?: boolean | undefined;
  is_encrypted?: boolean | undefined;
  is_invite?: boolean | undefined;
  /** Rooms that are children of one of these spaces, as those say that the user is in. */
  spaces?: string[] | undefined;
  /** null stands for rooms without a type. */
  room_types?: (string | null)[] | undefined;
  not_room_types?: (string | null)[] | undefined;
  room_name_like?: string | undefined;
  tags?: string[] | undefined;
  not_tags?: string[] | undefined;
};

export type ListConfig = RoomConfig & {
  /** Places in the list, both ends included; all rooms where there are none. */
  ranges?: [number, number][] | undefined;
  slow_get_all_rooms?: boolean | undefined;
  filters?: ListFilters | undefined;
};

/** An extension about rooms: of which lists and subscriptions it is wanted, `*` for all of them. */
export type RoomsExtension = {
  enabled?: boolean | undefined;
  lists?: string[] | undefined;
  rooms?: string[] | undefined;
};

export type Extensions = {
  to_device?:
    | { enabled?: boolean | undefined; limit?: number | undefined; since?: string | undefined }
    | undefined;
  e2ee?: { enabled?: boolean | undefined } | undefined;
  account_data?: RoomsExtension | undefined;
  receipts?: RoomsExtension | undefined;
  typing?: RoomsExtension | undefined;
};

export type SlidingSyncQuery = {
  /** The `pos` of the answer before; undefined begins a connection anew. */
  pos?: string | undefined;
  /** Milliseconds to wait for something new; the caller has capped it. */
  timeout: number;
  setPresence: "online" | "offline" | "unavailable";
  /** Tells the connections of a device apart. */
  conn_id?: string | undefined;
  txn_id?: string | undefined;
  lists?: { [name: string]: ListConfig } | undefined;
  room_subscriptions?: { [roomId: string]: RoomConfig } | undefined;
  extensions?: Extensions | undefined;
};

export interface SlidingSync {
  /**
   * One request of simplified sliding sync, in the form that clients speak today: the first `n` rooms of lists that
   * are kept here, and what has changed in them since the answer before.
   *
   * Costs: one look at each of the user's rooms in memory; of each room that is answered, its timeline and state.
   * @param sync - names this call, so that `cancel` of `Sync` can end it early
   * @throws MatrixError M_UNKNOWN_POS (400) for a `pos` that is not known (any more): the client begins anew, which
   *   costs it one answer of its first window
   * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
   */
  sliding(requester: Requester, query: SlidingSyncQuery, sync: string): Promise<JsonBytes>;
}
