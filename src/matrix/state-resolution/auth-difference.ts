import type { AuthGraph, EventNid, StateSets } from "./api.ts";
import { highestFirst } from "./priority-queue.ts";

/**
 * The auth difference of state sets: the events that are in the full auth chains of some sets, but not of all.
 *
 * A set's full auth chain holds the events of the set themselves here. The definition leaves them out; Synapse
 * does not, so that an event that all sets agree on is never in the difference, and neither is what it cites.
 *
 * @param agreed - some events of `sets.unconflicted`, those which conflicted events are most likely to cite: with
 *   them it mostly turns out that there is no difference without reading all of them
 * @returns descending, without the events of `sets.conflicted`: these are in the full conflicted set anyway, and
 *   finding out about them would take reading `sets.unconflicted` each time
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function authDifference(
  sets: StateSets,
  graph: AuthGraph,
  agreed: Iterable<EventNid> = [],
): EventNid[] {
  const suspects = reachedBySome(sets, graph, agreed);
  if (suspects.length === 0) return [];
  const covered = reachedFrom(sets.unconflicted.events(), suspects, graph);
  return suspects.filter((nid) => !covered.has(nid));
}

/**
 * The events that some sets reach and others do not, as far as conflicted events and those in `agreed` show.
 * As all that cites an event has a higher number, who reaches it is known when it is the highest one left; and
 * once all that is left is reached by all sets, so is everything below.
 */
function reachedBySome(sets: StateSets, graph: AuthGraph, agreed: Iterable<EventNid>): EventNid[] {
  const bits = Array.from({ length: sets.count }, (_, set) => 1n << BigInt(set));
  const all = (1n << BigInt(sets.count)) - 1n;
  const reachedBy = new Map<EventNid, bigint>();
  const queue = highestFirst();
  let undecided = 0;
  const reach = (nid: EventNid, by: bigint) => {
    const before = reachedBy.get(nid);
    if (before === all) return;
    const after = (before ?? 0n) | by;
    if (after === before) return;
    reachedBy.set(nid, after);
    if (before === undefined) {
      queue.push(nid);
      if (after !== all) undecided += 1;
    } else if (after === all) undecided -= 1;
  };

  const conflicted = new Set<EventNid>();
  for (const { events } of sets.conflicted) {
    events.forEach((nid, set) => {
      if (nid === undefined) return;
      conflicted.add(nid);
      reach(nid, bits[set]!);
    });
  }
  for (const nid of agreed) reach(nid, all);

  const partial: EventNid[] = [];
  while (undecided > 0) {
    const nid = queue.pop()!;
    const by = reachedBy.get(nid)!;
    if (by !== all) {
      undecided -= 1;
      if (!conflicted.has(nid)) partial.push(nid);
    }
    const authEvents = graph.authEventsOf(nid);
    for (let index = 0; index < authEvents.length; index++) reach(authEvents[index]!, by);
  }
  return partial;
}

/**
 * Which of the targets are among the given events or in their auth chains, and whatever else was seen on the way.
 * @param targets - descending, not empty
 */
function reachedFrom(
  events: Iterable<EventNid>,
  targets: readonly EventNid[],
  graph: AuthGraph,
): ReadonlySet<EventNid> {
  const lowest = targets.at(-1)!;
  const missing = new Set(targets);
  const reached = new Set<EventNid>();
  const stack: EventNid[] = [];
  const reach = (nid: EventNid) => {
    if (nid < lowest || reached.has(nid)) return;
    reached.add(nid);
    missing.delete(nid);
    stack.push(nid);
  };
  for (const event of events) {
    reach(event);
    while (stack.length > 0) {
      const authEvents = graph.authEventsOf(stack.pop()!);
      for (let index = 0; index < authEvents.length; index++) reach(authEvents[index]!);
    }
    if (missing.size === 0) break;
  }
  return reached;
}
