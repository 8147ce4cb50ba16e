import type { Storage } from "../storage/api.ts";
import type { Nid } from "../storage/schema.ts";

/** For memory of rooms: tells when one is gone from this server, and may come back as if it had never been here. */
export function onPurge(storage: Storage, drop: (room: Nid) => void): void {
  storage.onEntries((entries) => {
    for (const { topic, room } of entries) if (topic === "purge") drop(room);
  });
}
