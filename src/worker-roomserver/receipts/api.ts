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

export type Receipt = ReceiptRow & { userId: string };

export interface ReceiptsForReaders {
  /** Receipts in the room with `after < position <= upTo` that `userId` may see (others' private ones are left out). */
  changed(room: Nid, userId: string, after: Position, upTo: Position): Promise<Receipt[]>;
  /** The user's own receipts in the room: for unread counts. */
  own(userId: string, room: Nid): Promise<Receipt[]>;
}
