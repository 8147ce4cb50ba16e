import type { Receipts, ReceiptsForReaders } from "./api.ts";
import { type ReceiptsOptions, StoredReceipts } from "./receipts.ts";

export function openReceipts(options: ReceiptsOptions): Receipts & ReceiptsForReaders {
  return new StoredReceipts(options);
}
