import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Position } from "../storage/schema.ts";

/** Account data, global (`roomId` null) and per room; tags are account data of type m.tag. */
export interface AccountData {
  set(requester: Requester, userId: string, roomId: string | null, type: string, content: JsonObject): Promise<void>;
  get(requester: Requester, userId: string, roomId: string | null, type: string): Promise<JsonObject>;
  createFilter(requester: Requester, userId: string, filter: JsonObject): Promise<{ filter_id: string }>;
  getFilter(requester: Requester, userId: string, filterId: string): Promise<JsonObject>;
}

export type AccountDataEvent = { roomId: string | null; type: string; content: JsonObject; position: Position };

export interface AccountDataForReaders {
  /** All of the user's account data with `after < position <= upTo`, global and of all rooms. One index range. */
  changed(userId: string, after: Position, upTo: Position): Promise<AccountDataEvent[]>;
  /** @throws MatrixError M_NOT_FOUND */
  filter(userId: string, filterId: string): Promise<JsonObject>;
}
