import type { EventLookup, RefState, StateKey } from "./events.ts";

/*
 * The definitions of state resolution v2 and v2.1 that say which events of the states are in question.
 * https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */

/** The auth chain of an event, the event itself included. */
export type AuthChain = (eventId: string) => ReadonlySet<string>;

export function authChains(events: EventLookup): AuthChain {
  const known = new Map<string, ReadonlySet<string>>();
  return function chain(eventId) {
    const before = known.get(eventId);
    if (before !== undefined) return before;
    const ids = new Set([eventId]);
    for (const authId of events(eventId).auth) for (const id of chain(authId)) ids.add(id);
    known.set(eventId, ids);
    return ids;
  };
}

/** The *unconflicted state map* and the *conflicted state set*. What some state lacks is in conflict. */
export function separate(sets: readonly RefState[]): {
  unconflicted: Map<StateKey, string>;
  conflicted: Set<string>;
} {
  const unconflicted = new Map<StateKey, string>();
  const conflicted = new Set<string>();
  for (const set of sets) {
    for (const [key, id] of set) {
      if (sets.every((other) => other.get(key) === id)) unconflicted.set(key, id);
      else conflicted.add(id);
    }
  }
  return { unconflicted, conflicted };
}

/**
 * What is in the full auth chain of one of the states and not of all. The events of a state count as part of its
 * chain, as they do for Synapse: by the letter of the page they would not, and an event that all states hold, but
 * only one of them cites, would be in question.
 */
export function authDifference(sets: readonly RefState[], chain: AuthChain): Set<string> {
  const chains = sets.map((set) => union([...set.values()].map(chain)));
  return new Set([...union(chains)].filter((id) => !chains.every((ids) => ids.has(id))));
}

/** Everything on a path of auth events from one event of the conflicted state set to another, both ends included. */
export function conflictedStateSubgraph(conflicted: ReadonlySet<string>, chain: AuthChain): Set<string> {
  const belowSome = union([...conflicted].map(chain));
  const isAboveSome = (id: string) => [...chain(id)].some((below) => conflicted.has(below));
  return new Set([...belowSome].filter(isAboveSome));
}

function union(sets: readonly ReadonlySet<string>[]): Set<string> {
  const all = new Set<string>();
  for (const set of sets) for (const id of set) all.add(id);
  return all;
}
