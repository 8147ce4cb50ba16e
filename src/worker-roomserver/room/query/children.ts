import type { Storage } from "../../storage/api.ts";
import type { EventNid, RelationRow } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";

export type Child = { nid: EventNid; sender: string };

/** Events that relate to one and that are summed up with it, the newest first. */
export type Children = { replacements: Child[]; references: Child[]; replies: Child[] };

/** Most events have few relations, or none. */
const FIRST_ROWS = 50;
/** For one event, and for all those of a call that have more than the first together. */
const MOST_ROWS = 5_000;
const ALL_ROWS = 20_000;

/**
 * What relates to each of the events; nothing is said of those that nothing relates to. One transaction, or two.
 * For each event one range of small rows, the newest first: at most 5,000, and 20,000 of all the events.
 * @param events - of one room
 */
export async function childrenOf(
  storage: Storage,
  events: readonly StoredEvent[],
): Promise<Map<string, Children>> {
  const rows = new Map<string, RelationRow[]>();
  await read(storage, events, FIRST_ROWS, rows);
  const hasMore = events.filter(({ eventId }) => rows.get(eventId)?.length === FIRST_ROWS);
  if (hasMore.length > 0) {
    const count = Math.min(MOST_ROWS, Math.max(FIRST_ROWS, Math.floor(ALL_ROWS / hasMore.length)));
    await read(storage, hasMore, count, rows);
  }
  return new Map([...rows].map(([eventId, found]) => [eventId, sorted(found)]));
}

async function read(
  storage: Storage,
  events: readonly StoredEvent[],
  count: number,
  into: Map<string, RelationRow[]>,
): Promise<void> {
  const found = await Promise.all(
    events.map(({ room, eventId }) => {
      const range = IDBKeyRange.bound([room, eventId], [room, eventId, []]);
      return storage.getAll("relations", range, count);
    }),
  );
  events.forEach(({ eventId }, i) => {
    if (found[i]!.length > 0) into.set(eventId, found[i]!);
  });
}

function sorted(rows: readonly RelationRow[]): Children {
  const ofType = (wanted: string) =>
    rows.filter(([, relType]) => relType === wanted).map(([nid, , , sender]) => ({ nid, sender }));
  return {
    replacements: ofType("m.replace"),
    references: ofType("m.reference"),
    replies: ofType("m.thread"),
  };
}
