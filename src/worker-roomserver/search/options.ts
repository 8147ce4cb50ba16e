import type { UserId } from "../../matrix/identifiers.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";

/** What search works with. */
export type SearchOptions = {
  storage: Storage;
  room: RoomForReaders;
  /** The users whom a user ignores. */
  ignoredBy: (userId: UserId) => Promise<ReadonlySet<string>>;
};
