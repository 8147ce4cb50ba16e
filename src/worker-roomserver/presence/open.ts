import type { Presence, PresenceForReaders, PresenceForServers } from "./api.ts";
import { KeptPresence, type PresenceOptions } from "./presence.ts";

/** A new leader takes those who were online as having just ended a sync: who comes back in time never went. */
export async function openPresence(
  options: PresenceOptions,
): Promise<Presence & PresenceForReaders & PresenceForServers & { close(): void }> {
  const presence = new KeptPresence(options);
  await presence.load();
  return presence;
}
