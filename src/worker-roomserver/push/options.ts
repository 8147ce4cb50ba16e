import type { AccountDataForReaders } from "../account-data/api.ts";
import type { ReceiptsForReaders } from "../receipts/api.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";

/** What push needs of the other components. */
export type PushOptions = {
  storage: Storage;
  room: Pick<
    RoomForReaders,
    "events" | "presentEvents" | "eventById" | "usersIn" | "membershipOf" | "memberCounts" | "stateEntry"
  >;
  receipts: Pick<ReceiptsForReaders, "own">;
  accountData: Pick<AccountDataForReaders, "stored">;
  /** Users of this name are the ones whose rules are kept here. */
  serverName: string;
};
