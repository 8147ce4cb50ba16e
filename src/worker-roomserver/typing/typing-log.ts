import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";

/** Beyond this it costs less to tell all rooms than to read what changed in which. */
const MAX_SPAN = 5_000;

/**
 * The rooms whose typists changed at `after < position <= upTo`, with the `detail` of the last entry of each;
 * `unknown` for a span that is too long to be read, or older than the log.
 */
export async function changedIn(
  storage: Storage,
  after: Position,
  upTo: Position,
): Promise<ReadonlyMap<Nid, string> | "unknown"> {
  const rooms = new Map<Nid, string>();
  const span = upTo - Math.max(after, 0);
  if (span > MAX_SPAN) return "unknown";
  if (span <= 0) return rooms;
  const entries = await storage.entriesAfter(Math.max(after, 0), span);
  if (entries === undefined) return "unknown";
  for (const entry of entries) {
    if (entry.topic === "typing") rooms.set(entry.room, entry.detail);
  }
  return rooms;
}
