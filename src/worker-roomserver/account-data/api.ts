import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";

/**
 * Account data, global (`roomId` null) and per room; tags are account data of type m.tag. Everybody reads and
 * writes their own only: M_FORBIDDEN when `userId` is not the requester.
 */
export interface AccountData {
  /** @throws MatrixError M_BAD_JSON (405) for the types that only the server sets */
  set(
    requester: Requester,
    userId: string,
    roomId: string | null,
    type: string,
    content: JsonObject,
  ): Promise<void>;
  /** `m.push_rules` is always there. @throws MatrixError M_NOT_FOUND */
  get(requester: Requester, userId: string, roomId: string | null, type: string): Promise<JsonObject>;
  /** The content of `m.tag`; `{ tags: {} }` when the room has none. */
  tags(requester: Requester, userId: string, roomId: string): Promise<{ tags: JsonObject }>;
  setTag(
    requester: Requester,
    userId: string,
    roomId: string,
    tag: string,
    content: JsonObject,
  ): Promise<void>;
  /** A tag that is not there is no error. */
  deleteTag(requester: Requester, userId: string, roomId: string, tag: string): Promise<void>;
  createFilter(requester: Requester, userId: string, filter: JsonObject): Promise<{ filter_id: string }>;
  getFilter(requester: Requester, userId: string, filterId: string): Promise<JsonObject>;
}

export type AccountDataEvent = {
  roomId: string | null;
  type: string;
  content: JsonObject;
  position: Position;
};

export interface AccountDataForReaders {
  /** All of the user's account data with `after < position <= upTo`, global and of all rooms. One index range. */
  changed(userId: string, after: Position, upTo: Position): Promise<AccountDataEvent[]>;
  /** The user's global account data of a type, undefined if there is none. One record. */
  stored(userId: string, type: string): Promise<JsonObject | undefined>;
  /** @throws MatrixError M_NOT_FOUND */
  filter(userId: string, filterId: string): Promise<JsonObject>;
}

/** What other components write on a user's behalf. */
export interface AccountDataForComponents {
  /** The user's account data of a type in a room, undefined if there is none. One record. */
  inRoom(userId: string, roomId: string, type: string): Promise<JsonObject | undefined>;
  /**
   * Changes one of the user's account data (`roomId` null: global), of whatever type, while nothing else here changes it.
   * @param change - from what is there, if anything, to what is to be there; undefined to leave it as it is
   * @param alongside - what belongs into the same unit
   */
  change(
    userId: string,
    roomId: string | null,
    type: string,
    change: (content: JsonObject | undefined) => JsonObject | undefined,
    alongside?: (write: Write) => void,
  ): Promise<void>;
}
