import type { Storage } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";

/**
 * The distance between events that are put in front of one that came live: a million of them fit before the log
 * position ahead of that, and as doubles such orders are exact up to eight thousand million positions.
 */
const STEP = 2 ** -20;

/**
 * A place in the timeline for an event from before others: between the log position of the live event that they belong
 * before and the position ahead of that, below all that has been put there.
 * @param orders - of the events that it comes right before; if there are none, it goes before all there is
 */
export async function orderOfHistory(
  storage: Storage,
  room: Nid,
  orders: readonly number[],
): Promise<number> {
  const before = Math.min(...orders);
  const stretch = Number.isFinite(before)
    ? IDBKeyRange.bound([room, -before], [room, 1 - Math.ceil(before)], false, true)
    : IDBKeyRange.bound([room, Number.NEGATIVE_INFINITY], [room, Number.POSITIVE_INFINITY]);
  // The orders are negated in the index, so the lowest is last; and only a cursor goes backwards.
  const cursor = await storage.read(["events"], (tx) =>
    tx.objectStore("events").index("timeline").openKeyCursor(stretch, "prev"),
  );
  const lowest = cursor === null ? before : -(cursor.key[1] as number);
  const order = lowest - STEP;
  return Number.isInteger(order) ? order - STEP : order; // whole numbers are positions of the log
}
