import type { AuthGraph, EventNid } from "./api.ts";

/**
 * The conflicted state subgraph: all events on the ways that lead from one conflicted event to another along
 * `auth_events`, from v12 on.
 * @returns in no order, with the conflicted events themselves, also those that no such way leads from or to: a
 *   full conflicted set holds them in any case
 * @see https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
export function conflictedSubgraph(conflicted: Iterable<EventNid>, graph: AuthGraph): EventNid[] {
  const ends = new Set(conflicted);
  let lowest = Number.POSITIVE_INFINITY;
  for (const nid of ends) lowest = Math.min(lowest, nid);

  // Down: what conflicted events lead to. Below the lowest of them, nothing leads to one any more.
  const citations = new Map<EventNid, ArrayLike<EventNid>>();
  const stack = [...ends];
  while (stack.length > 0) {
    const nid = stack.pop()!;
    if (nid < lowest || citations.has(nid)) continue;
    const authEvents = graph.authEventsOf(nid);
    citations.set(nid, authEvents);
    for (let index = 0; index < authEvents.length; index++) stack.push(authEvents[index]!);
  }

  // Up: what of it leads to a conflicted event. All that an event cites has been decided before it.
  const leadsToEnd = new Set<EventNid>();
  for (const nid of Float64Array.from(citations.keys()).sort()) {
    if (ends.has(nid) || includesAny(citations.get(nid)!, leadsToEnd)) leadsToEnd.add(nid);
  }
  return [...leadsToEnd];
}

function includesAny(nids: ArrayLike<EventNid>, wanted: ReadonlySet<EventNid>): boolean {
  for (let index = 0; index < nids.length; index++) if (wanted.has(nids[index]!)) return true;
  return false;
}
