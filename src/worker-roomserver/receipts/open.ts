import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Receipts, ReceiptsForReaders } from "./api.ts";
import { StoredReceipts } from "./receipts.ts";

export type ReceiptsOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "eventById" | "membershipOf" | "nid">;
  /** Milliseconds since 1970. */
  now: () => number;
};

export function openReceipts(options: ReceiptsOptions): Receipts & ReceiptsForReaders {
  return new StoredReceipts(options);
}
