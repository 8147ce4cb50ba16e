import type { AccountDataForComponents, AccountDataForReaders } from "../account-data/api.ts";
import type { Egress } from "../egress/api.ts";
import type { Answers } from "../node/answers.ts";
import type { ReceiptsForReaders } from "../receipts/api.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { UsersForDevices, UsersForHeldRequests } from "../users/api.ts";

/** What push needs of the other components. */
export type PushOptions = {
  storage: Storage;
  answers: Answers;
  room: Pick<
    RoomForReaders,
    | "events"
    | "presentEvents"
    | "eventById"
    | "usersIn"
    | "membershipOf"
    | "memberCounts"
    | "stateEntry"
    | "strippedState"
    | "visibleTo"
    | "clientEvent"
  >;
  receipts: Pick<ReceiptsForReaders, "own">;
  accountData: Pick<AccountDataForReaders, "stored"> & Pick<AccountDataForComponents, "change">;
  devices: UsersForDevices & UsersForHeldRequests;
  /** For push gateways. */
  egress: Egress;
  /** Users of this name are the ones whose rules are kept here. */
  serverName: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
  /** At least 0 and less than 1. */
  random: () => number;
};
