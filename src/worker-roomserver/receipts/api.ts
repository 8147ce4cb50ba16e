import type { Requester } from "../node/requester.ts";
import type { Nid, Position, ReceiptRow } from "../storage/schema.ts";

export type ReceiptRequest = {
  roomId: string;
  type: "m.read" | "m.read.private" | "m.fully_read";
  eventId: string;
  threadId?: string | undefined;
};

export interface Receipts {
  /** A marker never moves back in the room's order; an older one is answered like a newer one and changes nothing. */
  set(requester: Requester, receipts: ReceiptRequest[]): Promise<void>;
}

/** A receipt `m.read` as another server has it. `ts`: milliseconds since 1970, as that server says. */
export type HeardReceipt = { roomId: string; eventId: string; threadId?: string | undefined; ts: number };

/** For federation, which has found out that the user's own server says so and may speak in the room. */
export interface ReceiptsForServers {
  /**
   * Keeps the receipt of a user of another server as one of this one's. Nothing happens where the user is not joined to
   * the room, the event is not known there or not in that thread, or the marker is further already.
   */
  hear(userId: string, receipt: HeardReceipt): Promise<void>;
}

export type Receipt = ReceiptRow & { userId: string };

export interface ReceiptsForReaders {
  /** Receipts in the room with `after < position <= upTo` that `userId` may see (others' private ones are left out). */
  changed(room: Nid, userId: string, after: Position, upTo: Position): Promise<Receipt[]>;
  /** The user's own receipts in the room: for unread counts. */
  own(userId: string, room: Nid): Promise<Receipt[]>;
}
