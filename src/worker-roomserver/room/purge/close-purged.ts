import type { RoomParts } from "../parts.ts";

/**
 * Rooms that were being purged when the last leader ended have no events to any reader. To be called first of all.
 * @returns whether there are any
 */
export async function closePurged({ storage, events, recent }: RoomParts): Promise<boolean> {
  const purged = await storage.getAllKeys("purges");
  for (const room of purged) {
    events.purge(room, storage.numbers.eventNid);
    recent.purge(room);
  }
  return purged.length > 0;
}
