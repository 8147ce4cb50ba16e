import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Presence, PresenceForReaders } from "./api.ts";
import { KeptPresence } from "./presence.ts";

export type PresenceOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "sharingUsers">;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** A new leader takes those who were online as having just ended a sync: who comes back in time never went. */
export async function openPresence(
  options: PresenceOptions,
): Promise<Presence & PresenceForReaders & { close(): void }> {
  const presence = new KeptPresence(options);
  await presence.load();
  return presence;
}
