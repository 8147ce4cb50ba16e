import type { Receipts, ReceiptsForReaders, ReceiptsForServers } from "./api.ts";
import { type ReceiptsOptions, StoredReceipts } from "./receipts.ts";

export function openReceipts(options: ReceiptsOptions): Receipts & ReceiptsForReaders & ReceiptsForServers {
  return new StoredReceipts(options);
}
