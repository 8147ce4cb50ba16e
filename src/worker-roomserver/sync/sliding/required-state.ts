import type { RoomConfig, StatePair } from "./api.ts";

/*
 * Which entries of a room's state a client wants. With `["*", "*"]` it wants all; then a pair of a type says that of
 * this type it wants no more than the keys that pairs name.
 */

const ANY = "*";
const LAZY = "$LAZY";
const ME = "$ME";
const MEMBER = "m.room.member";

export type RequiredState = {
  /** Whether an entry is wanted for itself. Members that are loaded lazily are not among them. */
  wants(type: string, stateKey: string): boolean;
  /** Whether members are wanted only as they appear in the timeline. */
  lazyMembers: boolean;
  /** Entries that are wanted by their whole name, to be looked up one by one. */
  named: readonly StatePair[];
  /** Whether there are wanted entries that `named` does not name: of members, and of all others. */
  more: { members: boolean; others: boolean };
};

/** @param userId - whom `$ME` stands for */
export function requiredState(pairs: readonly StatePair[], userId: string): RequiredState {
  const keysOf = new Map<string, Set<string>>();
  let lazyMembers = false;
  for (const [type, key] of pairs) {
    if (type === MEMBER && key === LAZY) lazyMembers = true;
    const keys = keysOf.get(type) ?? new Set();
    keysOf.set(type, keys);
    if (key !== LAZY) keys.add(key === ME ? userId : key);
  }
  const ofAnyType = keysOf.get(ANY) ?? new Set();
  const all = ofAnyType.has(ANY);
  const wants = (type: string, stateKey: string): boolean => {
    const keys = keysOf.get(type);
    if (all) return keys === undefined || keys.has(ANY) || keys.has(stateKey);
    return has(keys, stateKey) || has(ofAnyType, stateKey);
  };
  const named = [...keysOf].flatMap(([type, keys]) =>
    type === ANY ? [] : [...keys].filter((key) => key !== ANY).map((key): StatePair => [type, key]),
  );
  const members = keysOf.get(MEMBER);
  return {
    wants,
    lazyMembers,
    named,
    more: {
      members: members?.has(ANY) === true || (all && members === undefined) || (!all && ofAnyType.size > 0),
      others: ofAnyType.size > 0 || [...keysOf].some(([type, keys]) => type !== MEMBER && keys.has(ANY)),
    },
  };
}

const has = (keys: ReadonlySet<string> | undefined, key: string) =>
  keys !== undefined && (keys.has(ANY) || keys.has(key));

/** What a client gets that has asked for a room in several ways: all that it gets in any of them. */
export function combined(configs: readonly RoomConfig[], userId: string): Wanted {
  return {
    timelineLimit: Math.max(...configs.map((config) => config.timeline_limit)),
    state: either(configs.map((config) => requiredState(config.required_state, userId))),
    key: JSON.stringify(configs.map((config) => config.required_state)),
  };
}

/** `key`: the same for what asks for the same state. */
export type Wanted = { timelineLimit: number; state: RequiredState; key: string };

/** Pairs of several configs cannot be put together into one list: in one of them a pair may exclude what it adds in another. */
export function either(states: readonly RequiredState[]): RequiredState {
  const [first, ...others] = states;
  if (first !== undefined && others.length === 0) return first;
  return {
    wants: (type, stateKey) => states.some((state) => state.wants(type, stateKey)),
    lazyMembers: states.some((state) => state.lazyMembers),
    named: states.flatMap((state) => state.named),
    more: {
      members: states.some((state) => state.more.members),
      others: states.some((state) => state.more.others),
    },
  };
}
