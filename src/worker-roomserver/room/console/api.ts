import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { Membership } from "../../storage/schema.ts";

/** A room as lists show it. What the room does not say of itself is absent. */
export type RoomListing = {
  room_id: string;
  room_version: string;
  name?: string;
  canonical_alias?: string;
  /** "m.space" of a space. */
  room_type?: string;
  creator?: string;
  join_rule: string;
  /** The algorithm; absent where the room is not encrypted. */
  encryption?: string;
  /** Whether it is in the public directory of this server. */
  published: boolean;
  joined_members: number;
  /** Those of this server. */
  joined_local_members: number;
  /** Events of its timeline that are known here. */
  events: number;
  /** When its newest event was sent, as that says: milliseconds since 1970. */
  last_ts: number;
};

export const ROOM_ORDERS = ["name", "joined_members", "events", "last_ts"] as const;
export type RoomOrder = (typeof ROOM_ORDERS)[number];

export type RoomsQuery = {
  /** Part of the name, the canonical alias or the id. */
  search?: string | undefined;
  orderBy: RoomOrder;
  /** `b`: the greatest first. */
  dir: "f" | "b";
  from?: string | undefined;
  /** 1 to 500. */
  limit: number;
};

export type RoomDetails = RoomListing & {
  topic?: string;
  avatar_url?: string;
  history_visibility: string;
  guest_access: string;
  invited_members: number;
  /** The servers with the most joined members, at most 100, and how many servers there are in all. */
  servers: { server_name: string; joined_members: number }[];
  joined_servers: number;
  /** Entries of the current state. */
  state_events: number;
  /** Event ids that nothing is built upon yet. */
  forward_extremities: string[];
  /** Made on this server. */
  aliases: string[];
  /** The room that took its place. */
  tombstone?: JsonObject;
};

/**
 * How far a purge is. `leaving`: members of this server leave, and the room is still there. `removing`: it is gone for
 * everybody here, and what is stored of it is being removed, also by the next leader. `done`: nothing is left. `failed`:
 * it is still there. `none`: nobody has asked for it, or the tab that led was closed before the room was gone.
 */
export type PurgeStatus = { status: "leaving" | "removing" | "done" | "failed" | "none"; error?: string };

/** An event of a room that shows media, as far as that can be read: in encrypted rooms it cannot. */
export type MediaInRoom = {
  event_id: string;
  sender: string;
  /** `origin_server_ts`. */
  ts: number;
  /** `mxc` URIs, each once. */
  uris: string[];
};

export interface RoomsForOwner {
  /**
   * Rooms in an order that may change while it is paged through: what does not change meanwhile is neither repeated nor
   * left out. Goes through all rooms, at most 20,000; costs some state entries, the members and a count of the timeline's
   * keys for each room in which something has happened since the last look, and nothing for the others.
   * @throws MatrixError M_INVALID_PARAM 400 for a `from` that was never given out
   */
  list(query: RoomsQuery): Promise<{ rooms: RoomListing[]; total: number; next_batch?: string }>;
  /** Costs what one room costs in a list, and a pass over its members. @throws MatrixError M_NOT_FOUND 404 */
  details(roomId: string): Promise<RoomDetails>;
  /**
   * Rooms that a user of this server has a membership in, by room id. From memory after the first call for a user.
   * @param page.from - the last room id of the page before
   */
  roomsOf(
    userId: string,
    page: { from?: string | undefined; limit: number },
  ): Promise<{ rooms: { room_id: string; membership: Membership }[]; next_batch?: string }>;
  /**
   * Events of the timeline that name media, the newest first. Looks at 500 events at most: a page may be short or empty
   * and still have a `next_batch`.
   * @throws MatrixError M_NOT_FOUND 404; M_INVALID_PARAM 400
   */
  media(
    roomId: string,
    page: { from?: string | undefined; limit: number },
  ): Promise<{ media: MediaInRoom[]; next_batch?: string }>;
  /** An alias for a room that the requester need not be in. @throws MatrixError M_NOT_FOUND 404; M_INVALID_PARAM, M_ROOM_IN_USE, M_EXCLUSIVE 400 */
  setAlias(request: RequestId, requester: Requester, alias: string, roomId: string): Promise<JsonObject>;
  /**
   * Begins to purge a room: see `RoomConsole.purge`. One that is being purged is no error.
   * @throws MatrixError M_NOT_FOUND 404
   */
  startPurge(roomId: string, how: { leave: boolean }): Promise<PurgeStatus>;
  /** Two rows. */
  purgeStatus(roomId: string): Promise<PurgeStatus>;
}
