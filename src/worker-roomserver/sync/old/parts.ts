import type { RoomForClient } from "../../room/api.ts";
import type { UsersForHeldRequests } from "../../users/api.ts";
import type { Sync } from "../api.ts";
import type { Readers } from "../readers.ts";

/** What the old APIs are made of: those that took their place. */
export type OldSyncParts = {
  storage: Readers["storage"];
  accountData: Readers["accountData"];
  room: Readers["room"] & RoomForClient;
  sync: Sync;
  users: UsersForHeldRequests;
  ignoredUsers: Readers["ignoredUsers"];
};
