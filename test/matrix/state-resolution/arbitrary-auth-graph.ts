import fc from "fast-check";
import type {
  ConflictedEntry,
  EventNid,
  StateKey,
  StateSets,
} from "../../../src/matrix/state-resolution/api.ts";
import { CompactAuthGraph } from "../../../src/matrix/state-resolution/auth-graph.ts";

/** What each event cites: the first event has the number 1. */
export type Citations = readonly (readonly EventNid[])[];

/** Auth graphs, in which all that an event cites has a lower number. */
export const citations: fc.Arbitrary<Citations> = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((events) =>
    events.map((cited, index) =>
      index === 0 ? [] : [...new Set(cited.map((other) => 1 + (other % index)))],
    ),
  );

export function graphOf(cited: Citations): CompactAuthGraph {
  const graph = new CompactAuthGraph();
  cited.forEach((authEvents, index) => {
    graph.add(index + 1, authEvents);
  });
  return graph;
}

/** An event's auth chain, without itself. */
export function authChain(nid: EventNid, cited: Citations): Set<EventNid> {
  const chain = new Set<EventNid>(cited[nid - 1]);
  // A set goes on with what is added to it underway.
  for (const other of chain) for (const further of cited[other - 1]!) chain.add(further);
  return chain;
}

/** Sets as maps from state keys to events, as they are resolved. */
export function stateSets(sets: readonly ReadonlyMap<string, EventNid>[]): StateSets {
  const conflicted: ConflictedEntry[] = [];
  const agreed = new Map<string, EventNid>();
  for (const stateKey of new Set(sets.flatMap((set) => [...set.keys()]))) {
    const events = sets.map((set) => set.get(stateKey));
    if (new Set(events).size === 1) agreed.set(stateKey, events[0]!);
    else conflicted.push({ type: "type", stateKey, events });
  }
  const unconflicted = {
    entries: async (keys: readonly StateKey[]) => keys.map(([, stateKey]) => agreed.get(stateKey)),
    events: () => agreed.values(),
  };
  return { count: sets.length, conflicted, unconflicted };
}
