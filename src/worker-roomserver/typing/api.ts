import type { Requester } from "../node/requester.ts";
import type { Nid, Position } from "../storage/schema.ts";

export interface Typing {
  /** @param timeout - milliseconds; ignored when `typing` is false */
  set(requester: Requester, roomId: string, userId: string, typing: boolean, timeout: number): Promise<void>;
}

export interface TypingForReaders {
  /** User ids of those who type in the room now, in the order in which they began. */
  typists(room: Nid): string[];
  /** Rooms (of those given) whose typists changed at a position in `after < position <= upTo`. */
  changedRooms(rooms: readonly Nid[], after: Position, upTo: Position): Promise<Nid[]>;
}
