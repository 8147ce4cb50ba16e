import type { Storage } from "../storage/api.ts";
import { StoredAccountData } from "./account-data.ts";
import type { AccountData, AccountDataForComponents, AccountDataForReaders } from "./api.ts";

export function openAccountData(options: {
  storage: Storage;
}): AccountData & AccountDataForReaders & AccountDataForComponents {
  return new StoredAccountData(options.storage);
}
