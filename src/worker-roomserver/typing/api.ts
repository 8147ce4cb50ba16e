import type { Requester } from "../node/requester.ts";
import type { Nid, Position } from "../storage/schema.ts";

export interface Typing {
  /**
   * Who goes on typing is told of again now and then, as other servers forget it.
   * @param timeout - milliseconds; ignored when `typing` is false
   */
  set(requester: Requester, roomId: string, userId: string, typing: boolean, timeout: number): Promise<void>;
}

/** For federation, which has found out that the user's own server says so and may speak in the room. */
export interface TypingForServers {
  /**
   * A user of another server types from now on, or does so no more. It ends by itself after a minute, as nothing else
   * tells if that server goes away. Nothing happens where the user is not joined to the room.
   */
  hear(roomId: string, userId: string, typing: boolean): Promise<void>;
}

export interface TypingForReaders {
  /** User ids of those who type in the room now, in the order in which they began. */
  typists(room: Nid): string[];
  /** Rooms (of those given) whose typists changed at a position in `after < position <= upTo`. */
  changedRooms(rooms: readonly Nid[], after: Position, upTo: Position): Promise<Nid[]>;
}
